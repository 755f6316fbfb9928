import keras
import pytest
from keras import layers

from kerasdl.models import (
    backbone,
    build_trunk,
    classifier,
    convnet,
    flatten_head,
    head_layers,
)
from kerasdl.train import depth_groups


@pytest.fixture(scope="module")
def trunk():
    return build_trunk("mobilenet_v3_small", None, 32, seed=1)


def names(group):
    return [layer.name for layer in group]


def thirds(trunk):
    """Its layers, cut where the table says."""
    row = backbone(trunk.name)
    at = [names(trunk.layers).index(name) for name in (row.middle, row.late)]
    return trunk.layers[: at[0]], trunk.layers[at[0] : at[1]], trunk.layers[at[1] :]


def test_a_trunk_of_the_table_with_a_head_has_four_groups(trunk):
    model = classifier(trunk, 2, seed=1)
    groups = depth_groups(model)
    assert len(groups) == 4
    assert tuple(groups[:3]) == thirds(trunk)
    assert groups[3] == head_layers(model)
    assert sum(groups, []) == model.layers


def test_a_trunk_alone_has_three_groups(trunk):
    assert tuple(depth_groups(trunk)) == thirds(trunk)


def test_a_head_of_any_names_begins_after_the_feature_map(trunk):
    x = layers.GlobalMaxPooling2D(name="mine")(trunk.output)
    model = keras.Model(trunk.input, layers.Dense(2)(x), name=trunk.name)
    assert names(depth_groups(model)[3])[0] == "mine"


def test_a_nested_trunk_is_split_where_a_flat_one_is(trunk):
    inputs = keras.Input((32, 32, 3), name="photos")
    x = layers.RandomFlip(name="flip")(inputs)
    # A head that begins with feature maps.
    x = layers.Conv2D(4, 1, name="conv_head")(trunk(x))
    model = keras.Model(inputs, flatten_head(x, 2, seed=1))
    groups = depth_groups(model)
    early, middle, late = thirds(trunk)
    assert groups[0][2:] == early
    assert names(groups[0][:2]) == ["photos", "flip"]
    assert groups[1:3] == [middle, late]
    assert names(groups[3])[0] == "conv_head"


def test_another_network_of_a_name_in_the_table_is_split_evenly():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2, name="a"), layers.Dense(2, name="b")],
        name="vgg16",
    )
    assert [names(group) for group in depth_groups(model)] == [["a"], ["b"]]


def test_other_models_are_three_parts_with_as_many_layers_that_have_weights():
    groups = depth_groups(convnet(input_shape=(48, 48, 3), seed=1))
    assert [names(group) for group in groups] == [
        ["pixels", "scale_pixels", "conv1", "pool1", "conv2", "pool2"],
        ["conv3", "pool3", "conv4", "pool4", "flatten"],
        ["dense", "predictions"],
    ]


def test_batch_norm_goes_with_the_layer_before_it_and_shared_layers_count_once():
    inputs = keras.Input((4,))
    shared = layers.Dense(4, name="shared")
    inner = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(4, name="in1"),
            layers.BatchNormalization(name="bn"),
        ]
    )
    x = shared(inner(shared(inputs)))
    model = keras.Model(inputs, layers.Dense(1, name="out")(x))
    groups = depth_groups(model)
    flat = [name for group in groups for name in names(group)]
    assert sorted(set(flat)) == sorted(flat)
    (group,) = [group for group in groups if "bn" in names(group)]
    assert names(group)[-2:] == ["in1", "bn"]


def test_a_model_without_weights_is_one_group():
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten(name="flatten")])
    assert [names(group) for group in depth_groups(model)] == [["flatten"]]


def test_a_model_that_is_not_built():
    with pytest.raises(ValueError, match="`model` must be built. .*'unbuilt'"):
        depth_groups(keras.Sequential([layers.Dense(1)], name="unbuilt"))
