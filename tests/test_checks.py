import re

import numpy as np
import pytest

from kerasdl._checks import (
    check_directory,
    check_non_negative_int,
    check_one_of,
    check_positive_int,
    size_pair,
)
from kerasdl._seeds import resolve_seed


def test_one_of():
    check_one_of("resize", "pad", ("crop", "pad"))
    message = "`resize` must be one of 'crop', 'pad'. Received: resize='mean'"
    with pytest.raises(ValueError, match=re.escape(message)):
        check_one_of("resize", "mean", ("crop", "pad"))


@pytest.mark.parametrize("value", [1, 7, np.int64(3), np.uint8(3)])
def test_positive_int(value):
    check_positive_int("epochs", value)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "3", None, np.int64(0)])
def test_not_a_positive_int(value):
    with pytest.raises(ValueError, match="`epochs` must be an integer .* epochs="):
        check_positive_int("epochs", value)


def test_non_negative_int():
    for value in (0, 3, np.int64(0)):
        check_non_negative_int("warm_up_steps", value)
    for value in (-1, 0.0, False, None, "0"):
        with pytest.raises(ValueError, match="integer of at least 0. Received: warm"):
            check_non_negative_int("warm_up_steps", value)


def test_directory(tmp_path):
    assert check_directory("path", str(tmp_path)) == tmp_path
    (tmp_path / "file").touch()
    for name in ("file", "missing"):
        with pytest.raises(ValueError, match=f"`path` must be an existing .*{name}"):
            check_directory("path", tmp_path / name)


@pytest.mark.parametrize("value", [(3, 5), [3, 5], (np.int64(3), np.int32(5))])
def test_size_of_two_sides(value):
    assert size_pair("image_size", value) == (3, 5)


def test_size_of_one_side():
    assert size_pair("image_size", np.int64(4)) == (4, 4)
    assert all(type(side) is int for side in size_pair("image_size", np.int64(4)))


@pytest.mark.parametrize(
    "value", [0, -2, True, 2.5, None, "4", (3,), (3, 4, 3), (3, 0), (3, 4.0)]
)
def test_no_size(value):
    with pytest.raises(ValueError, match="`image_size` must be one side or"):
        size_pair("image_size", value)


def test_a_given_seed_is_returned_in_silence(capsys):
    assert resolve_seed(0) == 0
    assert resolve_seed(2**31 - 1) == 2**31 - 1
    assert type(resolve_seed(np.int64(5))) is int
    assert capsys.readouterr().out == ""


def test_a_missing_seed_is_drawn_and_printed(capsys):
    seeds = [resolve_seed(None) for _ in range(4)]
    assert len(set(seeds)) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)
    printed = re.findall(r"seed=(\d+)", capsys.readouterr().out)
    assert [int(seed) for seed in printed] == seeds


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, True, "1"])
def test_no_seed(seed):
    with pytest.raises(ValueError, match="`seed` must be None or an integer"):
        resolve_seed(seed)
