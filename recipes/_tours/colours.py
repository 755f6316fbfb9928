"""Image processing: colours, five greys, brightness, contrast, saturation."""

import colorsys

import cv2
import numpy as np
import pandas as pd
import tensorflow as tf
from _tour import Pictures

COLOURS = {
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "white": (255, 255, 255),
    "dark": (20, 20, 20),
    "light grey": (200, 200, 200),
}


def rgb():
    """Red, green and blue from 0 to 255."""
    COLOURS
    Pictures({name: np.full((80, 80, 3), value) for name, value in COLOURS.items()})


def hsv():
    """Hue from 0 to 360, saturation and value from 0 to 100."""

    def hsv_of(value):
        hue, saturation, value = colorsys.rgb_to_hsv(*(v / 255 for v in value))
        return round(360 * hue), round(100 * saturation), round(100 * value)

    pd.DataFrame(
        {name: hsv_of(value) for name, value in COLOURS.items()}, ["H", "S", "V"]
    )
    # OpenCV halves the hue, to fit 8 bits, and takes 255 for 100.
    cv2.cvtColor(np.uint8([[COLOURS["yellow"]]]), cv2.COLOR_RGB2HSV)[0, 0]
    # TensorFlow has all three in [0, 1].
    tf.image.rgb_to_hsv([[1.0, 1.0, 0.0]])[0]


def colour_spaces(photo):
    """A photo in its parts."""
    red, green, blue = cv2.split(photo)
    Pictures(photo=photo, red=red, green=green, blue=blue)
    hue, saturation, value = cv2.split(cv2.cvtColor(photo, cv2.COLOR_RGB2HSV))
    Pictures(hue=hue * (255 / 179), saturation=saturation, value=value)
    y, u, v = cv2.split(cv2.cvtColor(photo, cv2.COLOR_RGB2YUV))
    Pictures(Y=y, U=u, V=v)
    light, a, b = cv2.split(cv2.cvtColor(photo, cv2.COLOR_RGB2LAB))
    {"mean Y": y.mean(), "mean L": light.mean(), "a": a.mean(), "b": b.mean()}


def five_greys(photo):
    """Grey by floats, by whole numbers, by a shift, as a mean, as green alone."""
    r, g, b = (channel.astype(int) for channel in cv2.split(photo))
    greys = {
        "floats": 0.3 * r + 0.59 * g + 0.11 * b,
        "whole numbers": (30 * r + 59 * g + 11 * b) // 100,
        # The weights times 256; the lesson has R and B exchanged here.
        "shift": (77 * r + 151 * g + 28 * b) >> 8,
        "mean": (r + g + b) // 3,
        "green": g,
    }
    opencv = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    {name: np.abs(grey - opencv).max() for name, grey in greys.items()}
    Pictures(greys)
    # As a picture of three channels: the same in each.
    np.stack([greys["shift"]] * 3, axis=-1).shape


def a_grey_by_hand():
    """The five greys of one pixel."""
    r, g, b = 200, 100, 50
    0.3 * r + 0.59 * g + 0.11 * b
    (30 * r + 59 * g + 11 * b) // 100
    (77 * r + 151 * g + 28 * b) >> 8
    # 77 + 151 + 28 is 256: white stays white.
    (77 + 151 + 28) * 255 >> 8
    (r + g + b) / 3
    g


def brightness_contrast_saturation(photo):
    """Add, stretch around the middle grey, move away from grey."""
    x = tf.cast(photo, tf.float32)
    grey = tf.image.rgb_to_grayscale(x)
    brighter = x + 50.0
    more_contrast = (x - 128.0) * 1.6 + 128.0
    more_colour = grey + (x - grey) * 1.8
    less_colour = grey + (x - grey) * 0.3
    Pictures(
        {
            "photo": x,
            "brighter by 50": brighter,
            "contrast 1.6": more_contrast,
            "saturation 1.8": more_colour,
            "saturation 0.3": less_colour,
        }
    )
    # TensorFlow's contrast is around each channel's mean.
    means = tf.reduce_mean(x, axis=(0, 1))
    tf.reduce_max(
        tf.abs(tf.image.adjust_contrast(x, 1.6) - ((x - means) * 1.6 + means))
    )
    # OpenCV's alpha and beta, rounded and cut at 0 and 255.
    opencv = cv2.convertScaleAbs(photo, alpha=1.0, beta=50)
    np.abs(opencv - np.clip(brighter, 0, 255)).max()


def equalise(photo):
    """A histogram spread out: of grey, of each colour, of Y alone, and in parts."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    # By hand: each grey goes where its share of the darker pixels is.
    counts = np.bincount(grey.ravel(), minlength=256)
    below = counts.cumsum()
    first = below[below > 0][0]
    table = np.round((below - first) / (below[-1] - first) * 255).clip(0)
    equalised = cv2.equalizeHist(grey)
    np.abs(table[grey] - equalised).max()
    {"deviation before": grey.std(), "after": equalised.std()}
    # Each colour by itself changes hues.
    colours = cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(photo)])
    yuv = cv2.cvtColor(photo, cv2.COLOR_RGB2YUV)
    yuv[..., 0] = cv2.equalizeHist(yuv[..., 0])
    of_y = cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB)
    # Contrast-limited, in 8x8 parts: noise is not blown up.
    clahe = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(grey)
    Pictures(grey=grey, equalised=equalised, CLAHE=clahe)
    Pictures({"photo": photo, "each colour": colours, "Y alone": of_y})
