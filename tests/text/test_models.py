import keras
import numpy as np
import pytest

from kerasdl.text import answer_tokens, blend, models, nbsvm, scores, token_marks
from kerasdl.text.hashing import BUCKETS, ngram_ids, ngram_ids_of
from kerasdl.text.tokenizer import pad

SMALL = {
    "fasttext": {"dim": 8, "hidden": 4},
    "text_cnn": {"dim": 8, "filters": 4},
    "transformer": {"dim": 8, "heads": 2, "depth": 1},
}
TEXTS = [np.array(ids, "int32") for ids in ([5, 3, 1, 7, 2], [4], [], [2, 2, 9])]


def small(name, **options):
    sizes = SMALL.get(name, {"dim": 8, "units": 4})
    return models.NETWORKS[name](10, 3, **sizes, **options, seed=1)


@pytest.mark.parametrize("name", models.NETWORKS)
def test_padding_changes_no_answer(name):
    network = small(name)
    short, long = (network(pad(TEXTS, length)).numpy() for length in (5, 11))
    np.testing.assert_allclose(short, long, atol=1e-6)
    assert np.isfinite(short).all() and np.ptp(short[:, 0]) > 1e-4
    np.testing.assert_allclose(short.sum(axis=1), 1, rtol=1e-5)
    again = small(name)
    np.testing.assert_array_equal(again(pad(TEXTS)), network(pad(TEXTS)))


def test_text_rcnn_at_the_sizes_of_the_lesson():
    sizes = models.LESSON["text_rcnn"]
    network = models.text_rcnn(models.LESSON_WORDS + 2, **sizes, seed=0)
    embedding = 1002 * 128
    lstm = 2 * 4 * (128 * (128 + 128) + 128)  # both directions, of 128 inputs
    deeper = 2 * 4 * (128 * (256 + 128) + 128)
    assert network.count_params() == embedding + lstm + 2 * deeper + 384 * 2 + 2


def test_runs_are_numbered_alike_in_graph_and_numpy(rng):
    tokens = rng.integers(1, 60_000, 9).astype("int32")
    padded = pad([tokens, tokens[:2]], 12)
    for size in (2, 3, 4):
        whole = ngram_ids(padded, size).numpy()
        expected = ngram_ids_of(tokens, size)
        assert whole[0].tolist() == [*expected.tolist(), *[0] * (12 - len(expected))]
        assert (whole[1] > 0).sum() == max(0, 3 - size)


def test_nbsvm_is_the_regression_that_it_was_fitted_by(data):
    """Beside scikit-learn's own counts of runs of characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import normalize

    labels = data.labels("train")
    # Characters that are not known are one.
    train, held = (
        ["".join(map(chr, ids + 500)) for ids in data.encoded(split)]
        for split in ("train", "valid")
    )
    find = TfidfVectorizer(
        analyzer="char", ngram_range=(1, 3), binary=True, lowercase=False, norm=None
    )
    rows = find.fit_transform(train)
    inside = 1 + (rows[labels == 1] > 0).sum(axis=0)
    outside = 1 + (rows[labels == 0] > 0).sum(axis=0)
    empty = data.tokenizer.size + 2 * (BUCKETS + 1) - rows.shape[1]  # of its tables
    shares = inside / (inside.sum() + empty), outside / (outside.sum() + empty)
    ratio = np.abs(np.log(shares[0] / shares[1]))
    root = np.asarray(ratio) ** 0.5
    model = LogisticRegression(C=16.0, max_iter=300)
    model.fit(normalize(rows.multiply(root).tocsr()), labels)
    given = normalize(find.transform(held).multiply(root).tocsr())
    found = answer_tokens(nbsvm(data), data.encoded("valid"))
    # The ratios' sums count a run in a shared bucket once.
    np.testing.assert_allclose(found, model.predict_proba(given), atol=0.01)
    assert scores(data.labels("valid"), found)["accuracy"] > 0.6


def test_nbsvm_of_three_classes_and_of_bad_sizes(reviews):
    from kerasdl.text import TextData

    third = reviews.assign(label=np.arange(len(reviews)) % 3)
    own = TextData.from_frame(third, seed=0)
    network = nbsvm(own, ngrams=1)
    assert answer_tokens(network, own.encoded("train")).shape[1] == 3
    found = answer_tokens(network, own.encoded("train")).argmax(axis=1)
    assert (found == own.labels("train")).mean() > 0.5
    with pytest.raises(ValueError, match="`ngrams` must be"):
        nbsvm(own, ngrams=0)


def test_a_blend_is_the_geometric_mean_of_its_members():
    members = [small("fasttext"), small("gru")]
    found = blend(members, [1, 3])(pad(TEXTS)).numpy()
    one, other = (member(pad(TEXTS)).numpy().astype(float) for member in members)
    expected = one**0.25 * other**0.75
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), 1e-4)
    with pytest.raises(ValueError, match="one for each of `members`"):
        blend(members, [1])


def test_answers_come_in_the_order_of_texts():
    network = small("text_cnn")
    found = answer_tokens(network, TEXTS)
    for text, answer in zip(TEXTS, found, strict=True):
        np.testing.assert_allclose(network(pad([text], 8))[0], answer, atol=1e-6)
    assert answer_tokens(network, []).shape == (0, 3)


def test_marks_are_the_slope_when_embeddings_are_scaled():
    """By finite differences: all embeddings a little longer."""
    network = small("text_rnn", bigrams=False)
    tokens, eps = TEXTS[0], 1e-3
    marks = token_marks(network, tokens, 1)
    table = network.get_layer("embedding")
    start = table.get_weights()[0]
    for token in set(tokens.tolist()):
        odds = []
        for factor in (1 + eps, 1 - eps):
            changed = start.copy()
            changed[token] *= factor
            table.set_weights([changed])
            found = float(network(tokens[None])[0, 1])
            odds.append(np.log(found / (1 - found)))
        table.set_weights([start])
        slope = (odds[0] - odds[1]) / (2 * eps)
        assert marks[tokens == token].sum() == pytest.approx(slope, rel=0.05, abs=1e-3)


def test_marks_of_nbsvm_stand_where_the_runs_begin(data):
    network = nbsvm(data)
    tokens = data.encoded("valid")[0]
    found = float(network(tokens[None])[0, 1])
    bias = network.get_layer("probability").get_weights()[1]
    log_odds = np.log(found / (1 - found)) - (bias[1] - bias[0])
    marks = token_marks(network, tokens, 1)
    assert marks.sum() == pytest.approx(log_odds, rel=1e-3)  # it is linear
    repeated = np.append(tokens, tokens[:1])  # the second time counts nothing
    assert abs(token_marks(network, repeated, 1)[-1]) < 1e-9


def test_scores_beside_a_hand_made_case():
    answers = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3]])
    found = scores(np.array([0, 0, 1, 1]), answers)
    assert found["accuracy"] == found["macro_f1"] == 0.5
    assert found["roc_auc"] == 0.75
    logs = np.log([0.9, 0.4, 0.8, 0.3])
    assert found["log_loss"] == pytest.approx(-logs.mean())


def test_a_saved_network_is_plain_keras(tmp_path):
    from kerasdl.artefacts import save_inference_model

    network = blend([small(name) for name in models.NETWORKS])
    save_inference_model(network, tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_allclose(again(pad(TEXTS)), network(pad(TEXTS)), atol=1e-6)
