from kerasdl.models import mobilenet_small, mobilenet_v1


def test_parameters_and_shapes():
    model = mobilenet_small(seed=1)
    # Channels before and after each separable convolution: nine weights a channel, one
    # a pair, and four of each channel that is normalised.
    channels = (32, 64, 128, 128, 256, 256, 512, 512)
    pairs = zip(channels, channels[1:], strict=False)
    stem = 27 * 32 + 4 * 32
    trunk = stem + sum(9 * a + 4 * a + a * b + 4 * b for a, b in pairs)
    assert trunk == 544_448
    assert model.count_params() == trunk + 513 * 10 == 549_578
    sides = [
        model.get_layer(f"conv_pw_{number}").output.shape[1] for number in range(1, 8)
    ]
    assert sides == [32, 16, 16, 8, 8, 4, 4]


def test_its_first_blocks_are_mobilenet_v1_s():
    arguments = {"include_top": False, "input_shape": (32, 32, 3), "seed": 1}
    small, whole = mobilenet_small(**arguments), mobilenet_v1(**arguments)
    for ours, theirs in zip(small.weights, whole.weights, strict=False):
        assert ours.shape == theirs.shape
        assert ours.path == theirs.path


def test_width_multiplier():
    narrow = mobilenet_small(alpha=0.5, include_top=False, pooling="avg", seed=1)
    assert narrow.output_shape == (None, 256)
    assert narrow.get_layer("conv1").filters == 16
