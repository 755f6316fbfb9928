"""Networks: pretrained trunks, heads, and the classics."""

from ._weights import copy_weights, load_weights
from .backbones import BACKBONES, Backbone, backbone, build_trunk, layer_groups
from .batch_norm_statistics import moving_batch_norms, recompute_batch_norm
from .convnet import convnet, mnist_convnet
from .efficientnet_lite import efficientnet_lite0
from .heads import classifier, flatten_head, head_layers, pooled_head
from .input_size import with_input_size
from .lenet import lenet5
