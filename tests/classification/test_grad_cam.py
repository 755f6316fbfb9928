import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from PIL import Image

from kerasdl.classification import grad_cam, tta_model

SIDE = 12


def trunk(strides=1):
    """Two convolutions without borders lost, seeded."""
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Rescaling(1 / 127.5, offset=-1, name="scale"),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="first"),
            layers.Conv2D(
                5, 3, strides, padding="same", activation="relu", name="last"
            ),
        ],
        name="trunk",
    )


def with_weights(model, bias=0.0):
    """`model` with weights drawn anew, and `bias` at its outputs."""
    rng = np.random.default_rng(4)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    model.weights[-1].assign(np.full(model.weights[-1].shape, bias))
    return model


def flat_model(outputs=3, end="softmax", strides=1, bias=0.0):
    """Maps, their means, one dense layer: the networks of class activation maps."""
    convolutions = trunk(strides)
    inputs = convolutions.inputs[0]
    x = layers.GlobalAveragePooling2D()(convolutions.outputs[0])
    if isinstance(end, str):
        x = layers.Dense(outputs, activation=end, name="dense")(x)
    else:
        x = end(layers.Dense(outputs, name="dense")(x))
    return with_weights(keras.Model(inputs, x), bias)


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (SIDE, SIDE, 3), dtype="uint8")


def activation_map(model, image, weights):
    """Class activation map of Zhou et al. (2016), its positive part, largest 1."""
    maps = keras.Model(model.input, model.get_layer("last").output)
    cam = np.maximum(maps(image[None].astype("float32")).numpy()[0] @ weights, 0)
    return cam / cam.max()


@pytest.mark.parametrize(
    "end",
    ["softmax", "sigmoid", "linear", layers.Softmax(), ops.sigmoid],
    ids=["softmax", "multi-label", "linear", "Softmax", "ops.sigmoid"],
)
@pytest.mark.parametrize("class_index", [0, 1, 2])
def test_equals_the_class_activation_map(image, end, class_index):
    # Selvaraju et al., section 3.1: for such a network the two are the same.
    model = flat_model(3, end)
    kernel = model.get_layer("dense").kernel.numpy()
    expected = activation_map(model, image, kernel[:, class_index])
    heat = grad_cam(model, image, class_index=class_index)
    assert heat.shape == (SIDE, SIDE)
    assert heat.dtype == np.float32
    np.testing.assert_allclose(heat, expected, atol=1e-5)


def test_one_unit_speaks_for_the_second_class_and_against_the_first(image):
    model = flat_model(1, "sigmoid")
    kernel = model.get_layer("dense").kernel.numpy()[:, 0]
    for class_index, weights in ((0, -kernel), (1, kernel)):
        expected = activation_map(model, image, weights)
        heat = grad_cam(model, image, class_index=class_index)
        np.testing.assert_allclose(heat, expected, atol=1e-5)


@pytest.mark.parametrize(("outputs", "end"), [(1, "sigmoid"), (3, "softmax")])
def test_the_most_probable_class_is_the_default(image, outputs, end):
    model = flat_model(outputs, end)
    found = model.predict_on_batch(image[None].astype("float32"))[0]
    best = int(found[0] > 0.5) if outputs == 1 else int(found.argmax())
    heat = grad_cam(model, image)
    np.testing.assert_array_equal(heat, grad_cam(model, image, class_index=best))
    others = {grad_cam(model, image, class_index=i).tobytes() for i in range(2)}
    assert len(others) == 2


@pytest.mark.parametrize(
    "end",
    ["sigmoid", layers.Activation("sigmoid"), ops.sigmoid],
    ids=["argument", "layer", "operation"],
)
def test_a_saturated_answer_has_a_map(image, end):
    sure, unsure = flat_model(1, end, bias=200.0), flat_model(1, end)
    pixels = image[None].astype("float32")
    assert sure.predict_on_batch(pixels)[0, 0] == 1.0
    expected = grad_cam(unsure, image, class_index=1)
    assert expected.max() == 1
    np.testing.assert_allclose(grad_cam(sure, image, class_index=1), expected)


def nested_model():
    """The layers of `flat_model`, in models in a model."""
    inner = trunk()
    pooled = keras.Sequential([inner, layers.GlobalAveragePooling2D()], name="pooled")
    inputs = keras.Input((SIDE, SIDE, 3))
    head = keras.Sequential(
        [keras.Input((5,)), layers.Dense(3, activation="softmax", name="dense")]
    )
    return with_weights(keras.Model(inputs, head(pooled(inputs))))


@pytest.mark.parametrize("layer", [None, "last", "first"])
def test_nested_and_flat_networks_have_the_same_map(image, layer):
    flat, nested = flat_model(), nested_model()
    for ours, theirs in zip(flat.weights, nested.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    for class_index in range(3):
        np.testing.assert_allclose(
            grad_cam(nested, image, layer, class_index),
            grad_cam(flat, image, layer, class_index),
            atol=1e-6,
        )


def test_peaks_in_the_only_quadrant_that_counts(image):
    # All but the upper right quadrant is cut away and replaced by zeros.
    half = SIDE // 2
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Conv2D(4, 1, activation="relu", kernel_initializer="ones"),
            layers.Cropping2D(((0, half), (half, 0))),
            layers.ZeroPadding2D(((0, half), (half, 0))),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid", kernel_initializer="ones"),
        ]
    )
    heat = grad_cam(model, np.maximum(image, 1), class_index=1)
    assert heat[:half, half:].min() > 0
    heat[:half, half:] = 0
    assert heat.max() == 0


def test_smaller_maps_are_enlarged_bilinearly(image):
    model = flat_model(strides=3)
    kernel = model.get_layer("dense").kernel.numpy()[:, 1]
    small = activation_map(model, image, kernel)
    assert small.shape == (4, 4)
    large = tf.image.resize(small[..., None], (SIDE, SIDE)).numpy()[..., 0]
    heat = grad_cam(model, image, class_index=1)
    np.testing.assert_allclose(heat, large / large.max(), atol=1e-5)


def test_pooling_that_keeps_its_axes_belongs_to_the_head(image):
    # As in MobileNet: pooling, dropout and a 1x1 convolution, all of one place.
    inner = trunk()
    x = layers.GlobalAveragePooling2D(keepdims=True)(inner.outputs[0])
    x = layers.Conv2D(3, 1, name="classes")(layers.Dropout(0.5)(x))
    outputs = layers.Softmax()(layers.Flatten()(x))
    model = with_weights(keras.Model(inner.inputs[0], outputs))
    kernel = model.get_layer("classes").kernel.numpy()[0, 0, :, 2]
    expected = activation_map(model, image, kernel)
    np.testing.assert_allclose(
        grad_cam(model, image, class_index=2), expected, atol=1e-5
    )


def test_nothing_for_the_class_is_no_heat(image):
    model = flat_model()
    kernel = np.abs(model.get_layer("dense").kernel.numpy())
    kernel[:, 1] *= -1
    model.get_layer("dense").kernel.assign(kernel)
    assert grad_cam(model, image, class_index=1).max() == 0
    assert grad_cam(model, image, class_index=2).max() == 1


def test_the_model_stays_as_it_was(image):
    model = nested_model()
    pixels = image[None].astype("float32")
    before = model.predict_on_batch(pixels)
    names = [set(vars(layer)) for layer in model.layers[1].layers[0].layers]
    grad_cam(model, image)
    with pytest.raises(ValueError, match="`layer` must see each picture once"):
        grad_cam(tta_model(model), image)
    assert [set(vars(layer)) for layer in model.layers[1].layers[0].layers] == names
    np.testing.assert_array_equal(model.predict_on_batch(pixels), before)


@pytest.mark.parametrize("channels", [1, 3])
def test_saves_the_picture_and_its_overlay(rng, tmp_path, channels):
    image = rng.integers(0, 256, (300, 250, channels), dtype="uint8")
    model = keras.Sequential(
        [
            keras.Input((None, None, channels)),
            layers.Conv2D(2, 3, strides=16, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    path = tmp_path / "heat.png"
    heat = grad_cam(with_weights(model), image, path=path)
    assert heat.shape == (300, 250)
    saved = np.asarray(Image.open(path).convert("RGB"))
    left, right = saved[:, :250], saved[:, -250:]
    np.testing.assert_array_equal(left, np.broadcast_to(image, left.shape))
    assert right.shape == left.shape
    assert np.abs(right.astype(int) - left).max() > 20


@pytest.mark.parametrize("outputs", [3, 1])
def test_a_batch_has_the_heat_of_each_of_its_pictures(rng, outputs, tmp_path):
    model = flat_model(outputs, "softmax" if outputs > 1 else "sigmoid")
    images = rng.integers(0, 256, (3, SIDE, SIDE, 3), dtype="uint8")
    for classes in (None, 1, [0, 1, 0]):
        own = classes if isinstance(classes, list) else [classes] * 3
        heats = grad_cam(model, images, class_index=classes)
        expected = [
            grad_cam(model, image, class_index=c)
            for image, c in zip(images, own, strict=True)
        ]
        np.testing.assert_allclose(heats, expected, atol=1e-5)
    grad_cam(model, images, path=tmp_path / "heat.png")
    with Image.open(tmp_path / "heat.png") as picture:
        assert picture.height > picture.width  # below one another


def test_bad_arguments_are_refused(image):
    model = flat_model()
    with pytest.raises(ValueError, match=r"`layer` must name one.*'dense' \(0 .*last"):
        grad_cam(model, image, layer="dense")
    with pytest.raises(ValueError, match="`class_index` must be None or from 0 to 2"):
        grad_cam(model, image, class_index=3)
    with pytest.raises(ValueError, match="`class_index` must be None or from 0 to 1"):
        grad_cam(flat_model(1, "sigmoid"), image, class_index=-1)
    with pytest.raises(ValueError, match=r"`class_index` must be one.*3 for 2 pict"):
        grad_cam(model, np.stack([image, image]), class_index=[0, 1, 2])
    with pytest.raises(ValueError, match="`image` must hold pictures.*an empty batch"):
        grad_cam(model, image[None][:0])
    with pytest.raises(ValueError, match=r"`image` must be one picture.*\(9, 12, 3\)"):
        grad_cam(model, image[:9])
    with pytest.raises(ValueError, match=r"`image` must be pixels in \[0, 255\]"):
        grad_cam(model, image / 127.5 - 1)
    dense = keras.Sequential([keras.Input((SIDE, SIDE, 3)), layers.Flatten()])
    with pytest.raises(ValueError, match="`model` must have a layer that gives"):
        grad_cam(dense, image)


def test_a_name_that_two_layers_have_is_refused(image):
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(3, 3, padding="same", name="first")(inputs)
    x = layers.Flatten()(trunk()(x))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    with pytest.raises(ValueError, match=r"layer='first' \(2 of that name\)"):
        grad_cam(model, image, layer="first")
