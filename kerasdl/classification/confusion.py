"""What is taken for what: the pairs of a confusion matrix that matter, in an order."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def most_confused(
    matrix: np.ndarray, class_names: Sequence[str], limit: int | None = None
) -> pd.DataFrame:
    """List the mistakes of a confusion matrix, the most frequent first.

    Args:
        matrix: counts `(classes, classes)`, rows true, columns predicted.
        class_names: in the order of rows and columns.
        limit: at most so many; None lists all.

    Returns:
        A row for each pair that occurs: `true`, `predicted`, `count`, and `share`, of
        the photos of the true class. Equal counts are ordered by share.

    Example:
        ```
        kd.interpret.most_confused(report.confusion, report.class_names, 3)
        ```
    """
    names = np.array(class_names, dtype=object)
    table = _mistakes(matrix).iloc[:limit]
    return table.assign(true=names[table["true"]], predicted=names[table["predicted"]])


def _mistakes(matrix: np.ndarray) -> pd.DataFrame:
    """`most_confused` of all classes, by their numbers."""
    matrix = np.asarray(matrix)
    true, predicted = np.nonzero(matrix * ~np.eye(len(matrix), dtype=bool))
    counts = matrix[true, predicted]
    shares = counts / matrix.sum(axis=1)[true]
    order = np.lexsort((-shares, -counts))
    return pd.DataFrame(
        {
            "true": true[order],
            "predicted": predicted[order],
            "count": counts[order],
            "share": shares[order],
        }
    )


def similarity_order(matrix: np.ndarray) -> np.ndarray:
    """Class indices in an order that puts classes beside those they are taken for.

    The leaves of an average-linkage tree; two classes are the nearer, the larger the
    shares of each that are taken for the other. Groups of alike classes are blocks on
    the diagonal of the matrix in this order.

    Args:
        matrix: counts `(classes, classes)`, rows true, columns predicted.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    shares = row_shares(matrix)
    if len(shares) < 3:
        return np.arange(len(shares))
    distances = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances), "average", optimal_ordering=True)
    return leaves_list(tree)


def confused_part(
    matrix: np.ndarray, class_names: Sequence[str], size: int
) -> tuple[np.ndarray, list[str]]:
    """The `size` classes of the most frequent mistakes, and all others as one class.

    Args:
        matrix: counts `(classes, classes)`, rows true, columns predicted.
        class_names: in the order of rows and columns.
        size: number of classes; fewer than there are.

    Returns:
        Counts `(size + 1, size + 1)` in `similarity_order`, the others last, and the
        names.
    """
    matrix = np.asarray(matrix)
    # A dict keeps the order in which the classes come up.
    pairs = _mistakes(matrix)[["true", "predicted"]]
    ranked = dict.fromkeys([*pairs.to_numpy().ravel(), *range(len(matrix))])
    chosen = set(list(ranked)[:size])
    kept = [index for index in similarity_order(matrix) if index in chosen]
    groups = np.full(len(matrix), size)
    groups[kept] = np.arange(size)
    member = np.eye(size + 1, dtype=int)[groups]
    names = [str(class_names[index]) for index in kept]
    others = f"the {len(matrix) - size} others"
    return member.T @ matrix @ member, [*names, others]


def row_shares(matrix: np.ndarray) -> np.ndarray:
    """Each count as a share of its row's sum; rows without counts are 0."""
    matrix = np.asarray(matrix)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
