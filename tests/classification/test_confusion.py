import numpy as np
import pandas as pd
import pytest

from kerasdl.classification import confused_part, most_confused, similarity_order

NAMES = ["cat", "dog", "fox"]
MATRIX = np.array([[8, 2, 0], [2, 2, 0], [3, 1, 6]])


def test_most_confused_by_hand():
    expected = pd.DataFrame(
        [
            ("fox", "cat", 3, 0.3),
            ("dog", "cat", 2, 0.5),  # before the pair of equal count: a larger share
            ("cat", "dog", 2, 0.2),
            ("fox", "dog", 1, 0.1),
        ],
        columns=["true", "predicted", "count", "share"],
    )
    pd.testing.assert_frame_equal(
        most_confused(MATRIX, NAMES), expected, check_dtype=False
    )
    assert len(most_confused(MATRIX, NAMES, limit=2)) == 2


def test_no_mistakes_are_no_rows():
    assert most_confused(np.diag([3, 0, 2]), NAMES).empty


def hidden_pairs(rng, pairs):
    """A matrix whose classes are confused in pairs, and the permutation that hides."""
    matrix = np.kron(np.eye(pairs, dtype=int), [[9, 4], [5, 8]])
    order = rng.permutation(2 * pairs)
    return matrix[np.ix_(order, order)], order


def test_similar_classes_come_side_by_side(rng):
    matrix, order = hidden_pairs(rng, 6)
    found = order[similarity_order(matrix)]
    assert sorted(found) == list(range(12))
    assert (found[::2] // 2 == found[1::2] // 2).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_classes_have_an_order(count):
    assert sorted(similarity_order(np.eye(count))) == list(range(count))


def test_confused_part_holds_the_pairs_and_all_counts(rng):
    matrix = np.diag(rng.integers(20, 30, 10))
    matrix[3, 7], matrix[7, 3], matrix[0, 5], matrix[1, 3] = 6, 5, 4, 1
    names = [f"class {number}" for number in range(10)]
    part, kept = confused_part(matrix, names, 4)
    assert set(kept[:4]) == {"class 3", "class 7", "class 0", "class 5"}
    assert kept[4] == "the 6 others"
    assert abs(kept.index("class 3") - kept.index("class 7")) == 1
    frame = pd.DataFrame(part, kept, kept)
    assert frame.loc["class 3", "class 7"] == 6
    assert frame.loc["the 6 others", "class 3"] == 1
    assert part.sum() == matrix.sum()
    others = [0, 3, 5, 7]
    rest = np.delete(np.delete(matrix, others, 0), others, 1)
    assert part[4, 4] == rest.sum()
