"""Networks: pretrained trunks, heads, and the classics."""

from . import blocks
from ._weights import load_weights, restore_weights
from .alexnet import alexnet
from .backbones import BACKBONES, Backbone, backbone, build_trunk
from .batch_norm import BatchNorm
from .batch_norm_statistics import moving_batch_norms, recompute_batch_norm
from .channels import with_channels
from .convnet import convnet, mnist_convnet
from .copying import copy_weights
from .course_cifar import (
    course_inception,
    course_mobilenet,
    course_resnet18,
    course_vgg,
)
from .course_convnet import course_convnet
from .densenet import densenet121, densenet169, densenet201, densenet_small
from .efficientnet_lite import efficientnet_lite0
from .feature_levels import feature_levels
from .folding import fold_batch_norm
from .googlenet import googlenet
from .heads import classifier, flatten_head, head_layers, pooled_head
from .inception_small import inception_small
from .input_size import with_input_size
from .layer_costs import layer_costs
from .lenet import lenet5
from .mobilenet_small import mobilenet_small
from .mobilenet_v1 import mobilenet_v1
from .mobilenet_v2 import mobilenet_v2
from .mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from .nin import nin
from .pooling import lp_pooling, mixed_pooling, stochastic_pooling
from .resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from .resnet_v2 import (
    resnet18_v2,
    resnet34_v2,
    resnet50_v2,
    resnet101_v2,
    resnet152_v2,
)
from .resnext import resnext50
from .rgb_input import with_rgb_input
from .safe_load import foreign_part, load_model
from .sparsity_table import sparsity_table
from .squeezenet import squeezenet
from .summary_table import summary_table
from .vgg import vgg11, vgg13, vgg16, vgg19
from .vgg_small import vgg_small

__all__ = [
    "BACKBONES",
    "Backbone",
    "BatchNorm",
    "alexnet",
    "backbone",
    "blocks",
    "build_trunk",
    "classifier",
    "convnet",
    "copy_weights",
    "course_convnet",
    "course_inception",
    "course_mobilenet",
    "course_resnet18",
    "course_vgg",
    "densenet121",
    "densenet169",
    "densenet201",
    "densenet_small",
    "efficientnet_lite0",
    "feature_levels",
    "flatten_head",
    "fold_batch_norm",
    "foreign_part",
    "googlenet",
    "head_layers",
    "inception_small",
    "layer_costs",
    "lenet5",
    "load_model",
    "load_weights",
    "lp_pooling",
    "mixed_pooling",
    "mnist_convnet",
    "mobilenet_small",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "moving_batch_norms",
    "nin",
    "pooled_head",
    "recompute_batch_norm",
    "resnet101",
    "resnet101_v2",
    "resnet152",
    "resnet152_v2",
    "resnet18",
    "resnet18_v2",
    "resnet34",
    "resnet34_v2",
    "resnet50",
    "resnet50_v2",
    "resnext50",
    "restore_weights",
    "sparsity_table",
    "squeezenet",
    "stochastic_pooling",
    "summary_table",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "vgg_small",
    "with_channels",
    "with_input_size",
    "with_rgb_input",
]
