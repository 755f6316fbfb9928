import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from kerasdl.classification import fit_linear_head

EPSILON = 1e-3


def photos(rng, count, classes, spread=1.0, features=12):
    """Activations around a centre for each class, and labels."""
    labels = np.arange(count) % classes
    centres = np.random.default_rng(0).normal(size=(classes, features))
    noise = rng.normal(size=(count, features)) * spread
    return (centres[labels] + noise).astype("float32"), labels


def standardised(head, features):
    return (features - head.mean) / np.sqrt(head.variance + EPSILON)


def probabilities(head, features):
    logits = standardised(head, features) @ head.kernel + head.bias
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def fit(views, labels, classes, validation=None, **options):
    return fit_linear_head(
        *(views, labels, classes, validation, EPSILON, 0), **{"seed": 1, **options}
    )


def scikit_learn(head, views, labels, balanced=False):
    """The classifier of scikit-learn at the L2 that was chosen."""
    x = np.concatenate([standardised(head, view) for view in views])
    y = np.tile(labels, len(views))
    weights = 1 / np.bincount(y)[y] if balanced else np.ones(len(y))
    model = LogisticRegression(C=1 / head.l2, tol=1e-8, max_iter=10_000)
    return model.fit(x, y, sample_weight=weights / weights.sum())


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("balanced", [False, True])
def test_it_ends_where_scikit_learn_does(classes, balanced, rng):
    x, labels = photos(rng, 90, classes, spread=2.0)
    kept = (labels > 0) | (np.arange(90) < 30)  # few of the first class
    x, labels = x[kept], labels[kept]
    views = [x, x + rng.normal(size=x.shape).astype("float32") / 4]
    others, truth = photos(rng, 120, classes, spread=2.0)
    head = fit(views, labels, classes, (others, truth), balanced=balanced)
    assert head.kernel.shape == (12, 1 if classes == 2 else classes)
    expected = scikit_learn(head, views, labels, balanced)
    np.testing.assert_allclose(
        probabilities(head, others),
        expected.predict_proba(standardised(head, others)),
        atol=2e-3,
    )


def test_the_l2_is_the_best_of_those_tried_on_enough_validation_photos(rng):
    """Noise asks for a strong L2, what is clear for a weak one."""
    chosen = {}
    for spread in (0.3, 6.0):
        x, labels = photos(rng, 60, 3, spread)
        validation = photos(rng, 120, 3, spread)
        head = fit([x], labels, 3, validation)
        best = head.tried.loc[head.tried["loss"].idxmin()]
        assert head.l2 == best["l2"]
        loss = log_loss(validation[1], probabilities(head, validation[0]))
        assert best["loss"] == pytest.approx(loss, rel=1e-4)
        chosen[spread] = head.l2
    assert chosen[0.3] <= 1e-3 < 0.1 <= chosen[6.0]


def test_few_validation_photos_do_not_choose_alone(rng):
    """Of wrong labels, they would have all weights near 0."""
    x, labels = photos(rng, 60, 3, 0.3)
    wrong = x[:2], (labels[:2] + 1) % 3
    assert fit([x], labels, 3, wrong).l2 < 1
    many = np.tile(wrong[0], (50, 1)), np.tile(wrong[1], 50)
    assert fit([x], labels, 3, many).l2 == 10


def test_folds_alone_are_drawn_from_the_seed(rng):
    x, labels = photos(rng, 40, 3, 2.0)
    one, same, other = (fit([x], labels, 3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.kernel, same.kernel)
    assert one.tried.equals(same.tried)
    assert not one.tried.equals(other.tried)


@pytest.mark.parametrize("counts", [(1, 1), (1, 1, 1), (1, 9, 2), (3, 1)])
def test_classes_of_one_photo(counts, rng):
    labels = np.repeat(np.arange(len(counts)), counts)
    x = np.eye(len(counts), 6, dtype="float32")[labels] * 9
    x += rng.normal(size=x.shape).astype("float32") / 10
    validation = (x, labels) if max(counts) == 1 else None
    head = fit([x], labels, len(counts), validation)
    assert np.isfinite(head.kernel).all()
    assert probabilities(head, x).argmax(axis=1).tolist() == labels.tolist()


def test_a_class_without_training_photos_is_an_answer_too(rng):
    x, labels = photos(rng, 30, 2)
    head = fit([x], labels, 3)
    found = probabilities(head, x)
    assert found.shape == (30, 3)
    assert found[:, 2].max() < 0.2


def test_features_that_never_change_do_no_harm(rng):
    x, labels = photos(rng, 30, 2, 0.3)
    x[:, 3] = 7
    others, truth = photos(rng, 30, 2, 0.3)
    head = fit([x], labels, 2)
    assert (probabilities(head, others).argmax(axis=1) == truth).all()


def test_views_that_do_not_match_the_labels_are_refused(rng):
    x, labels = photos(rng, 10, 2)
    with pytest.raises(
        ValueError, match=r"`views` must hold a row.*Received: 9 rows, 10 labels"
    ):
        fit([x, x[:9]], labels, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: ([x * np.inf], y, 3), "`views` must be finite.*in 9 rows"),
        (lambda x, y: ([x], y + 1, 3), r"`labels` must be one integer in \[0, 3\)"),
        (lambda x, y: ([x], y / 2, 3), "dtype float64"),
        (lambda x, y: ([x], np.eye(3, dtype=int)[y], 3), r"of shape \(9, 3\)"),
        (lambda x, y: ([x], y * 0, 1), "`classes` must be at least 2"),
        (lambda x, y: ([x[:0]], y[:0], 3), "classes=3, 0 labels"),
    ],
    ids=["infinite", "outside", "fractions", "one hot", "one class", "none"],
)
def test_what_is_no_class_or_no_feature_is_refused(change, message, rng):
    with pytest.raises(ValueError, match=message):
        fit_linear_head(*change(*photos(rng, 9, 3)), seed=1)


def test_no_validation_photos_are_none(rng):
    x, y = photos(rng, 20, 2)
    empty = fit_linear_head([x], y, 2, (x[:0], y[:0]), verbose=0, seed=1)
    none = fit_linear_head([x], y, 2, verbose=0, seed=1)
    np.testing.assert_array_equal(empty.kernel, none.kernel)


def test_half_precision_is_widened(rng):
    x, y = photos(rng, 60, 2, spread=300.0)
    half = x.astype("float16")
    narrow = fit_linear_head([half], y, 2, verbose=0, seed=1)
    wide = fit_linear_head([half.astype("float32")], y, 2, verbose=0, seed=1)
    np.testing.assert_array_equal(narrow.kernel, wide.kernel)


def test_nothing_to_choose_by_is_refused(rng):
    x, labels = photos(rng, 3, 3)
    with pytest.raises(ValueError, match="`validation` must be given.*3 photos"):
        fit([x], labels, 3)
