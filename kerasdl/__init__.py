"""fast.ai's training practice and the classic convolutional networks, in Keras 3.

Subpackages and the nouns (`kerasdl.ImageData`) load on first use: `import kerasdl` is
light. Import it before TensorFlow: it then switches oneDNN on, which halves the
time of a training step on processors where TensorFlow leaves it off.
"""

import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names, for editors
    from . import (
        artefacts,
        batches,
        callbacks,
        classification,
        data,
        detection,
        export,
        info,
        inside,
        interpret,
        learner,
        models,
        page,
        plots,
        predict,
        runs,
        runtime,
        schedules,
        serving,
        strategies,
        tables,
        tabular,
        text,
        train,
        workbench,
    )
    from .classification import Learner, Predictor, fine_tune
    from .data import ImageData
    from .workbench import load

__all__ = [
    "ImageData",
    "Learner",
    "Predictor",
    "__version__",
    "artefacts",
    "batches",
    "callbacks",
    "classification",
    "data",
    "detection",
    "export",
    "fine_tune",
    "info",
    "inside",
    "interpret",
    "learner",
    "load",
    "models",
    "page",
    "plots",
    "predict",
    "runs",
    "runtime",
    "schedules",
    "serving",
    "strategies",
    "tables",
    "tabular",
    "text",
    "train",
    "workbench",
]

__version__ = "0.2.0"

if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if "ipykernel" in sys.modules:  # a notebook would show its first lines in red
        importlib.import_module(f"{__name__}._quiet_start").install()

# Where the nouns stand; every other name is a module.
_NOUNS = {
    "ImageData": "data",
    "Learner": "classification",
    "Predictor": "classification",
    "fine_tune": "classification",
    "load": "workbench",
}


class _Package(ModuleType):
    """This module; what loads on first use is a property of it.

    Completers ask for the value of each name, but not of properties: a module's
    `__getattr__` would let them load TensorFlow.
    """


def _on_first_use(name: str) -> property:
    def get(package: ModuleType) -> Any:
        own = vars(package)
        if name not in own:
            place = importlib.import_module(f"{__name__}.{_NOUNS.get(name, name)}")
            own[name] = getattr(place, name) if name in _NOUNS else place
        return own[name]

    def set_(package: ModuleType, value: Any) -> None:
        vars(package)[name] = value  # Python does, of a module that is imported

    return property(get, set_)


for _name in __all__:
    if _name not in globals():
        setattr(_Package, _name, _on_first_use(_name))
sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return __all__
