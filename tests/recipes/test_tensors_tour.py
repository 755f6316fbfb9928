"""What the course's chapter on tensors and autograd prints, value by value."""

import re

import numpy as np
import pytest

NAN = float("nan")
# By section: expressions of the tour and what the lesson prints for them.
LESSON = {
    "predicates": {"tf.size(x)": 120, "tf.is_tensor(x)": True},
    "make": {
        "tf.constant([[1, 2], [3, 4]])": [[1, 2], [3, 4]],
        "np.empty((2, 3)).shape": [2, 3],
        "tf.ones((2, 3))": np.ones((2, 3)),
        "tf.cast([1.7, -1.7], tf.int32)": [1, -1],
        "tf.range(0, 10, 3)": [0, 3, 6, 9],
        "tf.linspace(2.0, 10.0, 4)": [2, 4.6667, 7.3333, 10],
        "tf.eye(3)": np.eye(3),
        "tf.ones_like(tf.zeros((2, 3)))": np.ones((2, 3)),
        "tf.zeros_like(tf.ones((2, 3)))": np.zeros((2, 3)),
    },
    "numpy_and_back": {
        "x": [1, 2, 3, 4, 5],
        "x.numpy()": [1, 2, 3, 4, 5],
        "tf.stack([tf.constant(1), tf.constant(2)])": [1, 2],
    },
    "sparse": {"tf.sparse.to_dense(coordinates)": np.diag([1, 2, 3, 0])},
    "arithmetic": {
        **dict.fromkeys(("a + b", "tf.add(a, b)"), [[3, 4], [5, 6]]),
        **dict.fromkeys(("a - b", "tf.subtract(a, b)"), [[-1, 0], [1, 2]]),
        **dict.fromkeys(("a * b", "tf.multiply(a, b)"), [[2, 4], [6, 8]]),
        **dict.fromkeys(("a / b", "tf.divide(a, b)"), [[0.5, 1], [1.5, 2]]),
        "tf.linalg.matvec(a, [1.0, 1.0])": [3, 7],
        "batched.shape": [1, 2, 3, 3],
        "tf.ones((2, 1)) @ tf.ones((1, 2))": np.ones((2, 2)),
        "tf.matmul(tf.ones((2, 1)), tf.ones((1, 2)))": np.ones((2, 2)),
        "batched": np.full((1, 2, 3, 3), 4),
    },
    "powers": {
        "tf.pow([1, 2], 3)": [1, 8],
        "tf.constant([1, 2]) ** 3": [1, 8],
        "tf.exp([1.0, 2.0])": [2.7183, 7.3891],
        "tf.sqrt([10.0, 2.0])": [3.1623, 1.4142],
        "tf.math.log([10.0, 2.0])": [2.3026, 0.6931],
        "keras.ops.log2([8.0, 2.0])": [3, 1],
        "keras.ops.log10([10.0, 1000.0])": [1, 3],
    },
    "in_place": {
        "x.assign_add([1.0, 1.0])": [2, 3],
        "x.assign_sub([1.0, 1.0])": [1, 2],
        "x.assign(x * 3.0 / 3.0)": [1, 2],
    },
    "broadcasting": {
        "(tf.ones((2, 3)) + tf.range(3.0)).shape": [2, 3],
        "tf.ones((2, 3)) + tf.range(3.0)": [[1, 2, 3]] * 2,
    },
    "rounding": {
        "tf.floor(x)": [5, 2, 3, 6],
        "tf.math.ceil(x)": [6, 3, 4, 7],
        "tf.round(x)": [5, 3, 3, 7],
        "keras.ops.trunc(x)": [5, 2, 3, 6],
        "x - keras.ops.trunc(x)": [0.2226, 0.8359, 0.1016, 0.5535],
        "x % 2": [1.2226, 0.8359, 1.1016, 0.5535],
    },
    "compare": {
        "tf.equal(a, b)": [True, False, False],
        "tf.reduce_all(a == b)": False,
        "a >= b": [True, False, True],
        "a > b": [False, False, True],
        "a <= b": [True, True, False],
        "a < b": [False, True, False],
        "a != b": [False, True, True],
    },
    "sorting": {
        "tf.sort(x)": [[1, 3, 4, 4, 5], [1, 4, 4, 5, 10]],
        'tf.sort(x, direction="DESCENDING")': [[5, 4, 4, 3, 1], [10, 5, 4, 4, 1]],
        'tf.argsort(x, direction="DESCENDING", stable=True)': [
            [4, 1, 2, 3, 0],
            [3, 4, 1, 2, 0],
        ],
        'tf.sort(x, axis=0, direction="DESCENDING")': [
            [1, 4, 4, 10, 5],
            [1, 4, 4, 3, 5],
        ],
        "tf.transpose(tf.math.top_k(tf.transpose(y), k=2).values)": [
            [2, 4, 6, 8, 10],
            [1, 3, 5, 7, 9],
        ],
        "tf.math.top_k(y, k=2).values": [[9, 7], [10, 8]],
        "tf.sort(y, axis=0)[2 - 1]": [2, 4, 6, 8, 10],
        "tf.sort(y, axis=1)[:, 2 - 1]": [3, 4],
    },
    "finite": {
        "tf.math.is_nan(x)": [False, False, True],
        "tf.math.is_finite(x)": [True, True, False],
        "tf.math.is_inf(tf.constant([1.0, -1.0, 0.0]) / 0.0)": [True, True, False],
    },
    "maths": {
        "tf.cos([0.0, np.pi])": [1, -1],
        "tf.abs([-1.0, 2.0])": [1, 2],
        "tf.sign([-3.0, 0.0, 3.0])": [-1, 0, 1],
        "tf.sigmoid([-1.0, 0.0, 1.0])": [0.2689, 0.5, 0.7311],
        "tf.norm(a - b, ord=1)": 1,
        "tf.keras.losses.cosine_similarity(a, b)": -(0.5**0.5),
    },
    "statistics": {
        "tf.reduce_mean(x)": 3,
        "tf.reduce_mean(x, axis=0)": [2, 4],
        "tf.reduce_sum(x)": 12,
        "tf.reduce_sum(x, axis=0)": [4, 8],
        "tf.reduce_prod(x)": 36,
        "tf.reduce_prod(x, axis=0)": [3, 12],
        "tf.argmax(x, axis=0)": [1, 1],
        "tf.argmin(x, axis=0)": [0, 0],
        "tf.math.reduce_std(x)": 3.5**0.5,
        "tf.math.reduce_variance(x)": 3.5,
        "np.median(x)": 2.5,
        "tf.math.bincount([6, 7, 1, 6, 8, 2, 5, 9, 7, 7])": [
            *(0, 1, 1, 0, 0, 1, 2, 3, 1, 1)
        ],
        "tf.histogram_fixed_width(tf.range(12.0), [0.0, 12.0], nbins=6)": [2] * 6,
        "np.std(x, ddof=1)": 2.1602,
        "stats.mode([3, 1, 3, 2]).mode": 3,
    },
    "norms": {
        "tf.norm(a)": 5,
        "tf.norm(a, ord=np.inf)": 4,
        "[tf.math.count_nonzero(a - b), *[tf.norm(a - b, ord=p) for p in (1, 2, 3)]]": [
            *(2, 7, 5, 91 ** (1 / 3))
        ],
        "tf.reduce_sum(tf.linalg.svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False))": 7,
    },
    "clamp": {"tf.clip_by_value([0, 1, 2, 3, 4, 5, 6], 2, 5)": [2, 2, 2, 3, 4, 5, 5]},
    "choose": {
        "np.take_along_axis(x.numpy(), places.numpy(), axis=0)": [
            [1, 6, 7, 8],
            [1, 6, 11, 12],
            [1, 6, 15, 16],
        ],
        "tf.gather(x, [0, 3], axis=0)": [[1, 2, 3, 4], [13, 14, 15, 16]],
        "tf.gather(x, [0, 3], axis=1)": [[1, 4], [5, 8], [9, 12], [13, 16]],
        "tf.boolean_mask(x, x > 8)": [9, 10, 11, 12, 13, 14, 15, 16],
        "tf.gather(tf.reshape(x, [-1]), [0, 15, 13, 10])": [1, 16, 14, 11],
        "tf.where(tf.constant([[0, 1, 2, 0], [2, 3, 0, 1]]) != 0)": [
            *([0, 1], [0, 2], [1, 0], [1, 1], [1, 3])
        ],
    },
    "join": {
        "tf.concat([tf.zeros((2, 4)), tf.ones((2, 4))], axis=0)": [
            *([0] * 4, [0] * 4, [1] * 4, [1] * 4)
        ],
        "tf.concat([tf.zeros((2, 4)), tf.ones((2, 4))], axis=1)": [[0] * 4 + [1] * 4]
        * 2,
        "(tf.stack([a, b], axis=0).shape, tf.stack([a, b], axis=1).shape)": [
            [2, 2, 3],
            [2, 2, 3],
        ],
        "tf.stack([a, b], axis=0)": [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]],
        "tf.stack([a, b], axis=1)": [[[1, 2, 3], [7, 8, 9]], [[4, 5, 6], [10, 11, 12]]],
    },
    "cut": {
        "[part.shape[0] for part in tf.split(x, 2, axis=0)]": [5, 5],
        "[part.shape[1] for part in tf.split(x, 2, axis=1)]": [2, 2],
        "[len(x[start : start + 2]) for start in range(0, 10, 2)]": [2] * 5,
        "[len(x[start : start + 3]) for start in range(0, 10, 3)]": [3, 3, 3, 1],
        "[part.shape[0] for part in tf.split(x, [1, 3, 6], axis=0)]": [1, 3, 6],
    },
    "reshape": {
        "tf.reshape(x, (3, 2))": [[0, 1], [2, 3], [4, 5]],
        "tf.transpose(x)": [[0, 3], [1, 4], [2, 5]],
        "tf.unstack(x, axis=0)": [[0, 1, 2], [3, 4, 5]],
        "tf.transpose(y, (1, 0, 2)).shape": [2, 1, 3],
        "tf.squeeze(y, 0).shape": [2, 3],
        "tf.expand_dims(y, -1).shape": [1, 2, 3, 1],
        "np.rot90(x)": [[2, 5], [1, 4], [0, 3]],
        "np.rot90(x, 2)": [[5, 4, 3], [2, 1, 0]],
        "tf.reverse(x, axis=[0])": [[3, 4, 5], [0, 1, 2]],
    },
    "fill": {"tf.fill((2, 3), 10)": [[10] * 3] * 2},
    "save_and_load": {"tf.io.parse_tensor(tf.io.read_file(file), tf.int32)": [0, 1, 2]},
    "seeds": {"tf.reduce_all(tf.stack(first) == tf.stack(again))": True},
    "several_outputs": {
        "tape.gradient(y, x, output_gradients=tf.constant([1.0, 2.0, 3.0, 4.0]))": [
            *(3, 6, 9, 12)
        ]
    },
    "custom_gradient": {"y": 10, "tape.gradient(y, [w, x, b])": [3, 2, 1]},
    "reversal": {"tape.gradient(y, x)": -6},
    "tensorboard": {
        '{tag: len(read.Tensors(tag)) for tag in ("a", "b")}': {"a": 100, "b": 100},
        '[tf.make_ndarray(read.Tensors("b")[i].tensor_proto).item() '
        "for i in (0, 3, 99)]": [0, 9, 9801],
    },
    "parameters": {"len(scale.trainable_weights)": 1},
    "a_convolution_layer": {
        "layer(x).shape": [1, 5, 5, 8],
        "layer.count_params()": 3 * 3 * 3 * 8 + 8,
        "tf.reduce_max(tf.abs(y - layer(x)))": 0,
    },
    "models": dict.fromkeys(
        ("row.count_params()", "graph.count_params()", "net.count_params()"), 23
    ),
}


@pytest.fixture(scope="module")
def tour(take_tour):
    return take_tour("tensors_tour")


@pytest.mark.parametrize("section", LESSON)
def test_a_section_prints_what_the_lesson_does(tour, shows, section):
    shows(tour[1][section], LESSON[section])


def test_twice_the_exponential_in_place(tour):
    once, twice = tour[1]["in_place"]["x.assign(tf.exp(x))"]
    np.testing.assert_allclose(once, [2.7183, 7.3891], atol=1e-4)
    np.testing.assert_allclose(twice, [15.1543, 1618.1780], rtol=1e-5)


def test_what_is_drawn_is_in_its_range(tour):
    shown = tour[1]["make"]
    for expression, low, high in (
        ("random.uniform((2, 3))", 0, 1),
        ("random.uniform((2, 3), -1, 1)", -1, 1),
    ):
        drawn = shown[expression].numpy()
        assert drawn.shape == (2, 3)
        assert low <= drawn.min() < drawn.max() < high
    # Five means, and a deviation of a hundredth.
    (normal,) = (value for name, value in shown.items() if "random.normal" in name)
    np.testing.assert_allclose(normal, range(5), atol=0.06)
    (order,) = (value for name, value in shown.items() if "shuffle" in name)
    assert sorted(order.numpy()) == list(range(10))


def test_attributes_and_leaves(tour):
    shown = tour[1]["attributes"]
    assert shown["x.dtype"] == np.float32
    assert shown["x.shape"] == (1, 2)
    assert "device:CPU:0" in shown["x.device"] or "GPU" in shown["x.device"]
    of_constant, watched, of_frozen, _ = tour[1]["leaves"].values()
    assert (of_constant, of_frozen) == ("None", "None")
    assert [float(gradient) for gradient in watched] == [2, 2]


def test_a_photo_comes_back_from_the_device_upside_down(tour):
    *_, pictures = tour[1]["to_a_device_and_back"].values()
    np.testing.assert_array_equal(pictures["after"], pictures["before"][::-1])


def test_densities_are_their_formulas(tour):
    normal, beta, density, by_hand, of_beta, _ = tour[1]["distributions"].values()
    assert density == pytest.approx(by_hand)
    assert of_beta == pytest.approx(30 * 0.2 * 0.8**4)  # x (1 - x)^4 / B(2, 5)
    # Within four standard errors of 10,000 draws.
    assert normal["mean of normal"] == pytest.approx(1, abs=0.08)
    assert beta["mean of beta"] == pytest.approx(2 / 7, abs=0.0064)


def test_every_derivative_is_that_of_finite_differences(tour):
    pairs = {
        "derivative": ("tape.gradient(y, x)", "_slope(lambda x: x**2, 3.0)"),
        "partial_derivatives": ("tape.gradient(y, x)", "_slope(f, [1.0, 2.0])"),
        "several_outputs": (
            "tape.gradient(y, x, output_gradients=tf.constant([1.0, 2.0, 3.0, 4.0]))",
            "_slope(lambda x: tf.reduce_sum(weights * 3 * x), x)",
        ),
        "direction": (
            "forward.jvp(y)",
            "_slope(lambda t: f([1.0 + 0.6 * t, 2.0 + 0.8 * t]), 0.0)",
        ),
        "second_derivatives": (
            "outer.gradient(first, x)",
            "_slope(lambda x: 3 * x**2, 2.0)",
        ),
        "reversal": ("tape.gradient(y, x)", "-_slope(lambda x: x**2, 3.0)"),
        "stop": ("tape.gradient(y, x)", "_slope(lambda x: x * 3.0, 3.0)"),
    }
    for section, (by_tape, by_differences) in pairs.items():
        shown = tour[1][section]
        np.testing.assert_allclose(
            shown[by_tape], shown[by_differences], rtol=1e-4, err_msg=section
        )
    for section, count in (("persistent", 2), ("hessian", 1), ("custom_gradient", 1)):
        *by_tape, by_differences = tour[1][section].values()
        found = np.squeeze(by_tape[-count:])
        np.testing.assert_allclose(found, by_differences, rtol=1e-4, err_msg=section)


def test_the_score_function_finds_the_gradient_with_more_noise(tour):
    shown = list(tour[1]["gradient_of_an_expectation"].values())
    means, deviations = (value for value in shown if isinstance(value, dict))
    assert means["exact"] == 3
    # Within four standard errors of 10,000 draws.
    for name, deviation in deviations.items():
        assert abs(means[name] - 3) < 4 * deviation / 100
    assert deviations["score"] > 2 * deviations["pathwise"]
    # Analytic: d/dm of x^2, 2 x, has a deviation of 2 s.
    assert deviations["pathwise"] == pytest.approx(1.6, rel=0.05)


def test_divergence_by_keras_is_the_formula(tour):
    shown = tour[1]["divergence"]
    p, q = np.array([0.1, 0.6, 0.3]), np.array([0.3, 0.3, 0.4])
    expected = np.sum(p * np.log(p / q))
    for expression in (
        "tf.keras.losses.KLDivergence()(p[None], q[None])",
        "tf.reduce_sum(p * tf.math.log(p / q))",
        "keras.losses.categorical_crossentropy(p, q) - stats.entropy(p)",
    ):
        assert float(shown[expression]) == pytest.approx(expected, abs=1e-6)


def test_what_is_taken_apart_is_whole_again(tour):
    shown = tour[1]
    products = {
        "lu": "tf.gather(lower @ upper, tf.math.invert_permutation(order))",
        "qr": "q @ r",
    }
    wholes = {"lu": [[4, 3], [8, 5]], "qr": [[1, 2], [3, 4], [5, 6]]}
    for section, expression in products.items():
        np.testing.assert_allclose(shown[section][expression], wholes[section], 0, 1e-5)
    by_hand, by_sklearn = list(shown["eigenvalues_and_pca"].values())[:2]
    np.testing.assert_allclose(by_hand, by_sklearn, 1e-6)
    assert list(shown["lda"].values())[1] == 0.98
    by_sklearn, by_eigenvalues = (list(shown["lda"].values())[i] for i in (0, 2))
    np.testing.assert_allclose(by_sklearn, by_eigenvalues, atol=1e-6)
    _, _, left, by_values, *_ = shown["svd_of_a_photo"].values()
    assert list(left) == [5, 20, 50]
    for k in left:
        assert float(left[k]) == pytest.approx(float(by_values[k]), abs=1e-4)
    exact, _, both, _ = shown["fourier"].values()
    assert max(exact, both) < 1e-3  # of [0, 255]


def test_the_page_has_every_section_and_picture(tour):
    folder, shown = tour
    page = (folder / "tour.html").read_text(encoding="utf-8")
    for name in shown:
        assert f">{name.replace('_', ' ')}</h2>" in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    files = {path.name for path in folder.glob("*.png")}
    assert {"svd_of_a_photo_rank_5.png", "fourier_low_pass_20_around_0.png"} <= files
    assert page.count("<img") == len(files)
