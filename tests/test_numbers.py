import numpy as np
import pytest

from kerasdl._numbers import number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (np.int64(4321), "4,321"),
        (np.float32(1234567), "1,234,567"),
        (0.923, "0.9230"),
        (1.0, "1.0000"),
        (-2.5, "-2.5000"),
        (12.345, "12.35"),
        (999.5, "999.50"),
        (6059.9, "6,060"),
        (0.01, "0.01000"),
        (0.00125, "0.001250"),
        (0.03125, "0.03125"),
        (-0.0123456, "-0.01235"),
        (0.1, "0.1000"),
        (0.99999, "1.0000"),
        (1.25e-4, "1.250e-04"),
        (3.1623e-5, "3.162e-05"),
        (0.0, "0.0000"),
        (2.0**53 - 1, "9,007,199,254,740,991"),
        (1e20, "1.000e+20"),
        (float("-inf"), "-inf"),
        (float("nan"), "–"),
        (None, "–"),
        (True, "True"),
        ("lenet5", "lenet5"),
    ],
)
def test_a_number_reads_as_one_writes_it(value, text):
    assert number(value) == text
