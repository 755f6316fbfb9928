import json
import tracemalloc

import numpy as np
import pytest

from kerasdl.serving.pixels_json import PixelsDecoder

SIZE = (8, 12)


@pytest.fixture
def decoder():
    return PixelsDecoder(SIZE, 2)


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (*SIZE, 3), "uint8")


@pytest.mark.parametrize("options", [{}, {"indent": 3}, {"separators": (",", ":")}])
def test_an_image_is_an_array(decoder, image, options):
    text = json.dumps({"a": [image.tolist()] * 2, "b": [1, {"c": "[["}]}, **options)
    found = decoder.decode(text)
    assert [each.dtype for each in found["a"]] == [np.uint8] * 2
    np.testing.assert_array_equal(found["a"], [image] * 2)
    assert found["b"] == [1, {"c": "[["}]


@pytest.mark.parametrize(
    "value",
    [256, -1, 1.0, True, 0.5, 1e40, 10**40, None, "7", "x" * 99, [7], {}, 1000],
)
def test_a_value_that_is_no_byte_makes_it_lists(decoder, image, value):
    pixels = image.tolist()
    pixels[7][11][2] = value
    assert decoder.decode(json.dumps(pixels)) == pixels


@pytest.mark.parametrize(
    "shape",
    [(8, 12), (12, 8, 3), (8, 12, 4), (8, 11, 3), (9, 12, 3), (7, 12, 3), (1, 8), (0,)],
)
def test_lists_of_another_shape_stay_lists(decoder, shape):
    pixels = np.ones(shape, int).tolist()
    assert decoder.decode(json.dumps(pixels)) == pixels


@pytest.mark.parametrize(
    "text",
    [
        "[[[007,0,0]]]",
        "[[[1 2,0,0]]]",
        "[[[1,0,0],]]",
        "[[[1,0,0]]",
        "[[[1,0,0]]]]",
        "[[[NaN,0,0]]]",
        "{]",
        "",
    ],
)
def test_what_is_no_json_is_refused_as_by_json(text):
    with pytest.raises(ValueError, match="Expecting|Extra data|NaN is no JSON"):
        PixelsDecoder((1, 1), 1).decode(text)


def test_what_json_reads_is_read_alike(decoder):
    texts = ['"\\u00e9"', " null ", "[true, false]", '{"a": 1, "a": 2}', "-0.5e3", "{}"]
    for text in texts:
        assert decoder.decode(text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "[[[[" + "[0,0,0]," * 100_000 + "[0,0,0]]]]]",
        "[" + "0," * 400_000 + "0]",
        "[" + "[]," * 250_000 + "[]]",
        '{"a":' * 100 + "[" + "{}," * 250_000 + "{}]" + "}" * 100,
        "{" + '"a":0,' * 100_000 + '"a":0}',
        json.dumps([np.zeros((*SIZE, 3), int).tolist()] * 1100),
    ],
)
def test_lists_of_another_shape_are_refused_before_they_take_memory(decoder, text):
    tracemalloc.start()
    message = (
        "more than 1020 values; an image must be 8 lists of 12 pixels of 3 whole "
        "numbers from 0 to 255"
    )
    with pytest.raises(ValueError, match=message):
        decoder.decode(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(text)  # json.loads: up to fourteen times as much
