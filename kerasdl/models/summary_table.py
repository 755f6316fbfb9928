"""A table of the zoo: what each network costs."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import keras

from kerasdl._checks import check_one_of
from kerasdl._progress import show_progress

from .alexnet import alexnet
from .convnet import convnet, mnist_convnet
from .course_cifar import (
    course_inception,
    course_mobilenet,
    course_resnet18,
    course_vgg,
)
from .course_convnet import course_convnet
from .densenet import densenet121, densenet169, densenet201, densenet_small
from .efficientnet_lite import efficientnet_lite0
from .googlenet import googlenet
from .inception_small import inception_small
from .layer_costs import layer_costs
from .lenet import lenet5
from .mobilenet_small import mobilenet_small
from .mobilenet_v1 import mobilenet_v1
from .mobilenet_v2 import mobilenet_v2
from .mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from .nin import nin
from .resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from .resnet_v2 import (
    resnet18_v2,
    resnet34_v2,
    resnet50_v2,
    resnet101_v2,
    resnet152_v2,
)
from .resnext import resnext50
from .squeezenet import squeezenet
from .vgg import vgg11, vgg13, vgg16, vgg19
from .vgg_small import vgg_small

if TYPE_CHECKING:
    import pandas as pd

_BUILDERS: dict[str, Callable[..., keras.Model]] = {
    builder.__name__: builder
    for builder in (
        alexnet,
        convnet,
        course_convnet,
        course_inception,
        course_mobilenet,
        course_resnet18,
        course_vgg,
        densenet121,
        densenet169,
        densenet201,
        densenet_small,
        efficientnet_lite0,
        googlenet,
        inception_small,
        lenet5,
        mnist_convnet,
        mobilenet_small,
        mobilenet_v1,
        mobilenet_v2,
        mobilenet_v3_large,
        mobilenet_v3_small,
        nin,
        resnet18,
        resnet34,
        resnet50,
        resnet101,
        resnet152,
        resnet18_v2,
        resnet34_v2,
        resnet50_v2,
        resnet101_v2,
        resnet152_v2,
        resnext50,
        squeezenet,
        vgg11,
        vgg13,
        vgg16,
        vgg19,
        vgg_small,
    )
}
_FLOAT32 = 4  # bytes


def summary_table(
    input_shape: tuple[int, int, int] | None = None,
    networks: Sequence[str] | None = None,
) -> "pd.DataFrame":
    """Tabulate what the networks cost for one image.

    Nothing is computed with them and no weights are drawn: all together take seconds,
    and no memory to speak of. They end in as many classes as they have by default.

    Args:
        input_shape: (height, width, channels); None is the default of each network.
        networks: names of builders, such as `["lenet5", "vgg16"]`; None is all.

    Returns:
        One row for each network, by year and name: `network`, `year` (of the paper or
        book), `input_shape`, `layers` (convolutions and dense layers on the longest
        way from the pixels to the answer: depth as papers count it), `parameters`,
        `multiply_adds` (see `layer_costs`), `activation_bytes` (of the float32 outputs
        of all layers, which training keeps for each image of a batch) and `file_bytes`
        (of the parameters as float32).

    Raises:
        ValueError: there is no such network, or `input_shape` does not suit all.

    Example:
        ```
        kd.models.summary_table(networks=["lenet5", "squeezenet"])
        ```
    """
    import pandas as pd

    if input_shape is not None and (
        not isinstance(input_shape, (tuple, list))
        or len(input_shape) != 3
        or None in input_shape
    ):
        raise ValueError(
            f"`input_shape` must be (height, width, channels). Received: {input_shape=}"
        )
    names = list(_BUILDERS if networks is None else networks)
    if not names:
        raise ValueError("`networks` must name at least one. Received: networks=[]")
    for name in names:
        check_one_of("networks", name, _BUILDERS)
    rows: list[dict[str, Any]] = []
    refused: dict[str, ValueError] = {}
    # Keras lists, for each thread, the variables that still want values, and gives
    # them some at the next chance. The list of this thread ends with it.
    with ThreadPoolExecutor(max_workers=1) as thread:
        found = thread.map(lambda name: _row(name, input_shape), names)
        for name, row in zip(
            names,
            show_progress(found, len(names), "counting", unit="networks"),
            strict=True,
        ):
            if isinstance(row, ValueError):
                refused[name] = row
            else:
                rows.append(row)
    if refused:
        reason, *_ = str(next(iter(refused.values()))).split(". Received: ")
        raise ValueError(
            f"`input_shape` must suit all `networks`. Received: {input_shape=}, which "
            f"{', '.join(refused)} cannot take ({reason}). "
            f"These can: {', '.join(row['network'] for row in rows) or 'none'}."
        )
    return pd.DataFrame(rows).sort_values(["year", "network"], ignore_index=True)


def _row(
    name: str, input_shape: tuple[int, int, int] | None
) -> dict[str, Any] | ValueError:
    """The row of a network, or why it cannot take `input_shape`."""
    arguments = {} if input_shape is None else {"input_shape": input_shape}
    # Variables have shapes and no values: those of VGG-19 would take 575 MB.
    with keras.StatelessScope(initialize_variables=False):
        try:
            model = _BUILDERS[name](weights=None, seed=0, **arguments)
        except ValueError as error:
            return error
        costs = layer_costs(model)
    parameters = int(costs["parameters"].sum())
    return {
        "network": name,
        "year": sys.modules[_BUILDERS[name].__module__].YEAR,
        "input_shape": tuple(model.input_shape[1:]),
        "layers": int(costs["depth"].max()),
        "parameters": parameters,
        "multiply_adds": int(costs["multiply_adds"].sum()),
        "activation_bytes": _FLOAT32 * int(costs["activations"].sum()),
        "file_bytes": _FLOAT32 * parameters,
    }
