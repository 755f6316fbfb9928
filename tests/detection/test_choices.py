import pytest

from kerasdl.detection.choices import Choices, choose


def test_large_objects_are_found_in_the_usual_pictures():
    assert choose(0.5, 160) == Choices(320, (8, 16, 32, 64), True, 8, 42, 160)


def test_small_objects_get_larger_pictures_finer_levels_and_all_layers():
    """20 pixels of 640 become 24 of 768; the next multiple of 32 is that."""
    found = choose(20 / 640, 80)
    assert found.image_size == 768 and found.side == 24
    assert found.strides == (4, 8, 16, 32) and not found.freezes
    assert found.batch_size == 4


@pytest.mark.parametrize("photos", [40, 160, 500, 5000])
@pytest.mark.parametrize("share", [0.5, 0.1, 20 / 640, 0.005])
def test_twenty_minutes_are_not_passed(share, photos):
    """At a second a million pixels, which are two cores' 1.1 with all layers."""
    found = choose(share, photos)
    assert 320 <= found.image_size <= 1024 and found.image_size % 32 == 0
    if found.epochs > 2:
        most = 1800 if found.freezes else 1100
        assert photos * found.epochs * found.image_size**2 / 1e6 <= most
    if photos <= 160:
        assert found.epochs >= 10


def test_many_photos_of_small_objects_keep_their_pixels():
    """1600 pictures that are seen are enough, however many photos they are of."""
    found = choose(20 / 640, 800)
    assert found.image_size == 768 and found.side == 24 and found.epochs == 2


def test_few_photos_are_seen_more_often():
    assert choose(0.5, 40).epochs == 168
    assert choose(0.5, 160).epochs == 42


def test_what_is_given_stays():
    found = choose(0.01, 1000, 416, freezes=True, batch_size=2, epochs=7)
    assert (found.image_size, found.batch_size, found.epochs) == (416, 2, 7)
    assert found.freezes and found.side == pytest.approx(4.16)


def test_dear_steps_and_less_time_are_fewer_epochs():
    assert choose(0.3, 300).epochs == 32
    found = choose(0.3, 300, cost=1.9, minutes=15)
    assert found.image_size == 320 and found.epochs == int(
        90e6 * 15 / 1.9 / 300 / 320**2
    )
