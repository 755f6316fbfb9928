import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import softmax

from kerasdl import models
from kerasdl.classification import ProbabilityDistillation, distiller


def divergence(teacher, student, temperature):
    """Of logits, as Hinton et al. define it, in float64."""
    p, q = (softmax(logits / temperature, axis=-1) for logits in (teacher, student))
    return temperature**2 * np.mean(np.sum(p * np.log(p / q), axis=-1))


@pytest.mark.parametrize("temperature", [1.0, 2.5, 10])
def test_softened_probabilities_are_those_of_the_logits(rng, temperature):
    teacher, student = rng.normal(0, 2, (2, 6, 5))
    given = [softmax(z, axis=-1).astype("float32") for z in (teacher, student)]
    found = ProbabilityDistillation(temperature).compute_loss(*given)
    expected = divergence(teacher, student, temperature)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_one_sigmoid_unit_is_two_classes(rng):
    teacher, student = rng.normal(0, 2, (2, 7, 1))
    sigmoids = [1 / (1 + np.exp(-z)) for z in (teacher, student)]
    found = ProbabilityDistillation(3).compute_loss(*map(np.float32, sigmoids))
    logits = [np.hstack([np.zeros_like(z), z]) for z in (teacher, student)]
    np.testing.assert_allclose(found, divergence(*logits, 3), rtol=1e-4)


def test_a_teacher_that_is_sure_gives_a_finite_loss():
    sure, wrong = np.array([[1.0, 0.0]], "float32"), np.array([[0.0, 1.0]], "float32")
    found = ProbabilityDistillation(4).compute_loss(sure, wrong)
    # Probabilities are kept at 1e-7 or more.
    logits = np.log([[1, 1e-7]]), np.log([[1e-7, 1]])
    np.testing.assert_allclose(found, divergence(*logits, 4), rtol=1e-4)


def test_the_loss_is_written_and_read():
    config = ProbabilityDistillation(2.5).get_config()
    assert ProbabilityDistillation.from_config(config).temperature == 2.5


def student(outputs):
    initializer = keras.initializers.GlorotUniform(seed=1)
    return keras.Sequential(
        [
            keras.Input((2, 2, 3)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(
                outputs,
                activation="sigmoid" if outputs == 1 else "softmax",
                kernel_initializer=initializer,
            ),
        ]
    )


@pytest.mark.parametrize(
    ("outputs", "loss"),
    [
        (1, keras.losses.BinaryCrossentropy()),
        (3, keras.losses.SparseCategoricalCrossentropy()),
    ],
)
def test_the_loss_is_the_weighted_sum(rng, outputs, loss):
    network = student(outputs)
    classes = max(outputs, 2)
    photos = rng.uniform(0, 255, (8, 2, 2, 3)).astype("float32")
    answers = softmax(rng.normal(size=(8, classes)), axis=1).astype("float32")
    labels = np.arange(8) % classes
    model = distiller(network, 4.0, 0.3)
    model.compile(keras.optimizers.SGD(0.0), loss=loss)
    logs = model.fit((photos, answers), labels, batch_size=8, verbose=0).history
    said = network.predict(photos, verbose=0).astype("float64")
    if outputs == 1:
        said = np.hstack([1 - said, said])
    hard = -np.mean(np.log(said[np.arange(8), labels]))
    soft = divergence(np.log(answers), np.log(said), 4)
    assert logs["student_loss"][0] == pytest.approx(hard, rel=1e-4)
    assert logs["distillation_loss"][0] == pytest.approx(soft, rel=1e-4)
    assert logs["loss"][0] == pytest.approx(0.3 * hard + 0.7 * soft, rel=1e-4)


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_student_learns_what_the_teacher_says(rng, outputs):
    """Labels are noise; the answers depend on the first pixel alone."""
    photos = rng.uniform(0, 255, (64, 2, 2, 3)).astype("float32")
    bright = photos[:, 0, 0, :1] / 255
    answers = np.hstack([1 - bright, bright])
    network = student(outputs)
    model = distiller(network, 2.0, 0.0)
    losses = keras.losses
    loss = [losses.BinaryCrossentropy(), losses.SparseCategoricalCrossentropy()]
    model.compile(keras.optimizers.Adam(0.1), loss=loss[outputs - 1])
    model.fit((photos, answers), rng.integers(0, 2, 64), epochs=40, verbose=0)
    found = network.predict(photos, verbose=0)[:, -1]
    assert np.abs(found - bright[:, 0]).mean() < 0.06


def test_the_student_stays_a_plain_model(tmp_path):
    network = student(2)
    model = distiller(network)
    model.compile(loss="sparse_categorical_crossentropy")
    path = tmp_path / "student.keras"
    network.save(path)
    read = keras.saving.load_model(path)
    photos = np.full((1, 2, 2, 3), 99.0)
    np.testing.assert_array_equal(read(photos), network(photos))
    assert [v.path for v in model.trainable_variables] == [
        v.path for v in network.trainable_variables
    ]


def test_half_precision():
    """The losses are computed in float32, as the probabilities are."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = models.mobilenet_v1(input_shape=(32, 32, 3), classes=2, alpha=0.25)
        model = distiller(network)
    finally:
        keras.config.set_dtype_policy(policy)
    assert {model.teacher.output.dtype, model.student.output.dtype} == {"float32"}


def test_wrong_arguments():
    with pytest.raises(ValueError, match="temperature must be positive"):
        distiller(student(2), 0)
    with pytest.raises(ValueError, match="student_loss_weight must be between"):
        distiller(student(2), 4.0, 1.5)
