"""The blocks that the networks are made of, to take alone.

Each function returns something to call on a tensor `(batch, height, width, channels)`,
and to put into a `keras.Sequential`:

    block = blocks.residual(64, strides=2)
    features = block(images)

It meets the number of channels there, keeps its layers for the next tensor, and is
saved as a plain Keras model.
"""

from .densenet import dense_block, transition
from .googlenet import inception
from .mobilenet_v1 import depthwise_separable
from .mobilenet_v2 import inverted_residual
from .nin import nin_block
from .resnet import bottleneck, residual
from .resnet_v2 import preactivation, preactivation_bottleneck
from .squeeze_excitation import squeeze_excitation
from .vgg import vgg_block

__all__ = [
    "bottleneck",
    "dense_block",
    "depthwise_separable",
    "inception",
    "inverted_residual",
    "nin_block",
    "preactivation",
    "preactivation_bottleneck",
    "residual",
    "squeeze_excitation",
    "transition",
    "vgg_block",
]
