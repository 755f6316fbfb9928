"""Costs as papers print them, and by hand on layers one can count."""

import functools
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import applications, layers, ops

from kerasdl import models
from kerasdl.models import layer_costs

# In millions, of one image, by the papers: MobileNet, table 4; MobileNetV2, table 4;
# MobileNetV3, tables 3 and 4.
MULTIPLY_ADDS = {
    "mobilenet_v1": 569,
    "mobilenet_v2": 300,
    "mobilenet_v3_large": 219,
    "mobilenet_v3_small": 56,
}
# Araujo, Norris & Sim, 2019, https://distill.pub/2019/computing-receptive-fields: by
# the last layer with windows.
FIELDS = {
    "alexnet": 195,
    "vgg16": 212,
    "mobilenet_v1": 315,
    applications.ResNet50: 483,
    applications.ResNet101: 1027,
    applications.InceptionV3: 1311,
}
# Depth, as the papers' titles, tables and texts have it.
LAYERS = {
    "alexnet": 8,
    "googlenet": 22,
    "lenet5": 5,
    "mobilenet_v1": 28,
    "vgg16": 16,
    "vgg19": 19,
    applications.DenseNet121: 121,
    applications.ResNet50: 50,
    applications.ResNet101: 101,
}
# GoogLeNet, table 1: millions of operations. Left out is its first convolution (34
# stand there; 7x7 filters at 112x112 places take 118).
GOOGLENET = {
    "conv2": 360,
    "inception_3a": 128,
    "inception_3b": 304,
    "inception_4a": 73,
    "inception_4b": 88,
    "inception_4c": 100,
    "inception_4d": 119,
    "inception_4e": 170,
    "inception_5b": 71,
    "predictions": 1,
}


def without_values(build):
    """A model and its costs; no weights are drawn. In a thread, as Keras would draw
    them later in the same one."""

    def count():
        with keras.StatelessScope(initialize_variables=False):
            model = build()
            return model, layer_costs(model)

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(count).result()


@functools.cache
def built(network):
    if isinstance(network, str):
        return without_values(lambda: getattr(models, network)(seed=1))
    return without_values(lambda: network(weights=None))


@pytest.fixture(scope="module")
def costs():
    return {
        network: built(network)[1] for network in {*MULTIPLY_ADDS, *FIELDS, *LAYERS}
    }


def row(table, layer):
    (found,) = table[table["layer"] == layer].to_dict("records")
    return found


def millions(table, prefix=""):
    return table[table["layer"].str.startswith(prefix)]["multiply_adds"].sum() / 1e6


def model_of(*stages, shape=(16, 12, 3)):
    return keras.Sequential([keras.Input(shape), *stages])


@pytest.mark.parametrize("network", MULTIPLY_ADDS)
def test_multiply_adds_of_the_papers(costs, network):
    assert millions(costs[network]) == pytest.approx(MULTIPLY_ADDS[network], rel=0.012)


@pytest.mark.parametrize(
    ("alpha", "side", "expected"),
    [
        (0.75, 224, 325),
        (0.5, 224, 149),
        (0.25, 224, 41),  # table 6
        (1.0, 192, 418),
        (1.0, 160, 290),
        (1.0, 128, 186),  # table 7
    ],
)
def test_multiply_adds_of_narrower_and_smaller_mobilenets(alpha, side, expected):
    with keras.StatelessScope(initialize_variables=False):
        model = models.mobilenet_v1(input_shape=(side, side, 3), alpha=alpha, seed=1)
        assert millions(layer_costs(model)) == pytest.approx(expected, rel=0.012)


def test_multiply_adds_of_googlenet_block_by_block(costs):
    for prefix, expected in GOOGLENET.items():
        assert millions(costs["googlenet"], prefix) == pytest.approx(expected, abs=0.7)


def test_multiply_adds_of_vgg16_and_alexnet(costs):
    """15.5 billion, as often quoted; AlexNet's layers by hand (its figure 2)."""
    assert millions(costs["vgg16"]) == pytest.approx(15_500, abs=50)
    by_hand = {
        "conv1": 55 * 55 * 96 * 11 * 11 * 3,
        "conv2": 27 * 27 * 256 * 5 * 5 * 96,
        "conv3": 13 * 13 * 384 * 3 * 3 * 256,
        "conv4": 13 * 13 * 384 * 3 * 3 * 384,
        "conv5": 13 * 13 * 256 * 3 * 3 * 384,
        "fc6": 6 * 6 * 256 * 4096,
        "fc7": 4096 * 4096,
        "predictions": 4096 * 1000,
    }
    table = costs["alexnet"]
    counted = table[table["multiply_adds"] > 0]
    assert dict(zip(counted["layer"], counted["multiply_adds"], strict=True)) == by_hand


def test_activations_of_vgg16_by_hand(costs):
    """Two or three maps and a smaller one a stage, three vectors, the scaled pixels."""
    places = [(224, 64, 2), (112, 128, 2), (56, 256, 3), (28, 512, 3), (14, 512, 3)]
    maps = sum(side**2 * (n + 1 / 4) * filters for side, filters, n in places)
    vectors = 4 * 4096 + 1000  # Dropout gives as many as what comes before
    scaled = 2 * 224 * 224 * 3  # BGR, and less its mean
    assert costs["vgg16"]["activations"].sum() == maps + vectors + scaled


@pytest.mark.parametrize("network", FIELDS)
def test_receptive_fields_as_published(costs, network):
    fields = [field for field in costs[network]["receptive_field"] if field]
    assert fields[-1] == (FIELDS[network],) * 2


def test_receptive_field_of_each_stage_of_vgg16(costs):
    """(3 - 1) pixels more for each convolution, 1 for the maxima, times the stride."""
    field, stride = 1, 1
    for stage, convs in enumerate((2, 2, 3, 3, 3), start=1):
        field += (2 * convs + 1) * stride
        stride *= 2
        pool = row(costs["vgg16"], f"block{stage}_pool")
        assert (pool["receptive_field"], pool["strides"]) == (
            (field,) * 2,
            (stride,) * 2,
        )
    assert field == 212
    assert row(costs["vgg16"], "fc1")["receptive_field"] is None


@pytest.mark.parametrize("network", LAYERS)
def test_depth_as_papers_count_it(costs, network):
    assert costs[network]["depth"].max() == LAYERS[network]


@pytest.mark.parametrize("network", LAYERS)
def test_parameters_are_keras_s(network):
    model, table = built(network)
    assert table["parameters"].sum() == model.count_params()


@pytest.mark.parametrize(("padding", "places"), [("same", 8 * 4), ("valid", 7 * 4)])
def test_a_convolution(padding, places):
    conv = layers.Conv2D(5, (4, 2), strides=(2, 3), padding=padding)
    (found,) = layer_costs(model_of(conv)).to_dict("records")
    assert found["multiply_adds"] == 4 * 2 * 3 * 5 * places
    assert found["activations"] == 5 * places
    assert found["parameters"] == 4 * 2 * 3 * 5 + 5
    assert found["receptive_field"] == (4, 2)
    assert found["strides"] == (2, 3)
    assert found["depth"] == 1


def test_groups_and_dilation():
    conv = layers.Conv2D(8, 3, padding="same", groups=2, dilation_rate=2)
    (found,) = layer_costs(model_of(conv, shape=(9, 9, 4))).to_dict("records")
    assert found["multiply_adds"] == 3 * 3 * (4 // 2) * 8 * 9 * 9
    assert found["receptive_field"] == (5, 5)


@pytest.mark.parametrize(("filters", "kernel"), [(64, 3), (7, 5)])
def test_depthwise_separable_costs_what_the_mobilenet_paper_says(filters, kernel):
    """Section 3.1: 1 / N + 1 / D_K^2 of a standard convolution."""

    def cost(*stages):
        table = layer_costs(model_of(*stages, shape=(14, 14, 32)))
        return table["multiply_adds"].sum()

    standard = cost(layers.Conv2D(filters, kernel, padding="same"))
    apart = cost(
        layers.DepthwiseConv2D(kernel, padding="same"), layers.Conv2D(filters, 1)
    )
    assert apart / standard == pytest.approx(1 / filters + 1 / kernel**2)
    assert cost(layers.SeparableConv2D(filters, kernel, padding="same")) == apart


def test_dense_layers_and_one_or_three_dimensions():
    table = layer_costs(model_of(layers.Dense(7), layers.Flatten(), layers.Dense(2)))
    assert table["multiply_adds"].tolist() == [3 * 7 * 16 * 12, 0, 16 * 12 * 7 * 2]
    assert table["activations"].tolist() == [16 * 12 * 7, 0, 2]
    line = layer_costs(model_of(layers.Conv1D(4, 5), shape=(10, 3)))
    assert line["multiply_adds"].tolist() == [5 * 3 * 4 * 6]
    assert line["receptive_field"].tolist() == [(5,)]
    causal = layer_costs(model_of(layers.Conv1D(4, 5, padding="causal"), shape=(10, 3)))
    assert causal["start"].tolist() == [(-4,)]
    cube = layer_costs(model_of(layers.Conv3D(4, 2), shape=(5, 6, 7, 3)))
    assert cube["multiply_adds"].tolist() == [8 * 3 * 4 * (4 * 5 * 6)]


def test_upsampling_and_transposed_convolutions():
    """Each place of the input weighs the kernel once; of the output, k / s see it."""
    table = layer_costs(
        model_of(
            layers.Conv2D(4, 3, strides=4, padding="same"),
            layers.Conv2DTranspose(5, 4, strides=2, padding="same"),
            layers.UpSampling2D(2),
            shape=(16, 16, 3),
        )
    )
    assert table["output_shape"].tolist() == [(4, 4, 4), (8, 8, 5), (16, 16, 5)]
    assert table["multiply_adds"].tolist()[1:] == [4 * 4 * 4 * 5 * 4 * 4, 0]
    assert table["strides"].tolist() == [(4, 4), (2, 2), (1, 1)]
    # Two neighbours four pixels apart, each of which sees three.
    assert table["receptive_field"].tolist() == [(3, 3), (7, 7), (7, 7)]


def test_the_receptive_field_is_where_a_change_shows():
    """By brute force: which pixels have a gradient from one place in the middle."""
    inputs = keras.Input((41, 41, 1))
    x = layers.Conv2D(1, 3, strides=2, padding="same", kernel_initializer="ones")(
        inputs
    )
    x = layers.ZeroPadding2D(1)(x)
    x = layers.AveragePooling2D(3, strides=2)(x)
    side = layers.Conv2D(1, 3, padding="same", kernel_initializer="ones")(x)
    x = layers.Add(name="sum")([x, side])
    model = keras.Model(inputs, x)
    begin, extent = seen_from(model, (5, 5))
    found = row(layer_costs(model), "sum")
    assert found["receptive_field"] == extent == (15, 15)
    assert begin == tuple(np.add(found["start"], np.multiply(5, found["strides"])))


def seen_from(model, place):
    """By side: the first pixel with a gradient from `place`, and how many there are."""
    pixels = tf.random.stateless_uniform((1, *model.input_shape[1:]), (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        answer = tf.reduce_sum(model(pixels)[0, *place])
    seen = np.argwhere(tape.gradient(answer, pixels).numpy()[0].any(axis=-1))
    return tuple(seen.min(axis=0)), tuple(np.ptp(seen, axis=0) + 1)


def test_the_receptive_field_of_the_convnet_begins_at_the_edge():
    """Its convolutions pad nothing: place (0, 1) sees rows 0-37, columns 8-45."""
    net = models.convnet(False, None, (150, 150, 3), None, seed=1)
    table = layer_costs(net)
    for name in ("conv2", "conv4"):
        begin, extent = seen_from(
            keras.Model(net.input, net.get_layer(name).output), (0, 1)
        )
        found = row(table, name)
        assert found["receptive_field"] == extent
        assert begin == (found["start"][0], found["start"][1] + found["strides"][1])
    assert (begin, extent) == ((0, 8), (38, 38))


@pytest.mark.parametrize(
    "enlarge",
    [
        layers.Conv2DTranspose(1, 4, strides=2, padding="same"),
        layers.Conv2DTranspose(1, 3, strides=2),
        layers.UpSampling2D(2),
        layers.UpSampling2D(2, interpolation="bilinear"),
    ],
    ids=["same", "valid", "nearest", "bilinear"],
)
def test_where_places_of_enlarged_pictures_begin_on_average(enlarge):
    model = model_of(layers.Cropping2D(((2, 1), (3, 1))), enlarge, shape=(14, 14, 1))
    begins = [seen_from(model, (at, at))[0] for at in (8, 9)]
    found = row(layer_costs(model), enlarge.name)
    expected = np.add(found["start"], np.multiply(8.5, found["strides"]))
    np.testing.assert_allclose(np.mean(begins, axis=0), expected)


def test_both_builds_cost_the_same():
    """The Sequential build has each block as a model of its own."""
    arguments = {"input_shape": (40, 32, 3), "alpha": 0.25, "classes": 3, "seed": 1}
    for name in ("mobilenet_v2", "mobilenet_v3_small"):
        functional, sequential = (
            without_values(
                lambda build=build, name=name: getattr(models, name)(
                    **arguments, build=build
                )
            )[1]
            for build in ("functional", "sequential")
        )
        columns = ["parameters", "multiply_adds", "activations", "receptive_field"]
        for column in (*columns, "depth"):
            first, second = (
                table.set_index("layer")[column].to_dict()
                for table in (functional, sequential)
            )
            assert first == second


def test_models_inside_are_counted_at_the_size_they_are_called_with():
    trunk = models.mobilenet_v1(False, None, (None, None, 3), alpha=0.25, seed=1)
    inputs = keras.Input((64, 48, 3))
    x = layers.GlobalAveragePooling2D()(trunk(inputs, training=False))
    outer = layer_costs(keras.Model(inputs, layers.Dense(2)(x)))
    whole = layer_costs(
        models.mobilenet_v1(False, None, (64, 48, 3), alpha=0.25, seed=1)
    )
    assert outer["multiply_adds"].sum() == whole["multiply_adds"].sum() + 256 * 2
    assert outer["activations"].sum() == whole["activations"].sum() + 256 + 2
    assert outer["layer"].tolist()[: len(whole)] == whole["layer"].tolist()


def test_a_layer_that_is_called_twice_has_its_parameters_once():
    inputs = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    smaller = layers.MaxPooling2D(2)(inputs)
    outputs = [shared(shared(inputs)), shared(smaller)]
    table = layer_costs(keras.Model(inputs, outputs))
    calls = table[table["layer"] == "shared"]
    assert sorted(calls["multiply_adds"]) == [81 * 16, 81 * 64, 81 * 64]
    assert sorted(calls["parameters"]) == [0, 0, 84]
    assert calls["depth"].max() == 2


def test_operations_of_keras_are_rows_too():
    inputs = keras.Input((8, 8, 3))
    x = ops.mean(ops.square(inputs), axis=(1, 2))
    table = layer_costs(keras.Model(inputs, layers.Dense(2)(x)))
    assert table["kind"].tolist() == ["Square", "Mean", "Dense"]
    assert table["activations"].tolist() == [8 * 8 * 3, 3, 2]
    assert table["receptive_field"].tolist() == [(1, 1), None, None]


class Subclass(keras.Model):
    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: "vgg16", "`model` must be a functional or Seq.* model='vgg16'"),
        (lambda: keras.Sequential([layers.Dense(2)]), "model that is built"),
        (Subclass, "`model` must be a functional or Sequential model"),
        (
            lambda: model_of(Subclass(name="inner")),
            "`model` must hold functional and Sequential .* 'inner', a Subclass",
        ),
        (
            lambda: model_of(layers.Conv2D(2, 3), shape=(None, 8, 3)),
            r"input of known size. .*\(None, 8, 3\). Give it .*`with_input_size`",
        ),
        (
            lambda: model_of(layers.LSTM(4, name="memory"), shape=(8, 3)),
            "must have its weights in conv.* layer 'memory', a LSTM",
        ),
    ],
)
def test_wrong_models(build, message):
    with pytest.raises(ValueError, match=message):
        layer_costs(build())
