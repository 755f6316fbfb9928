"""fast.ai's training practice and the classic convolutional networks, in Keras 3.

Subpackages and the nouns (`kerasdl.ImageData`) load on first use: `import kerasdl` is
light. Import it before TensorFlow: it then switches oneDNN on, which halves the
time of a training step on processors where TensorFlow leaves it off.
"""

import importlib
import os
import sys
from typing import Any

__version__ = "0.1.0"

if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if "ipykernel" in sys.modules:  # a notebook would show its first lines in red
        importlib.import_module(f"{__name__}._quiet_start").install()

_SUBPACKAGES = (
    "artefacts",
    "batches",
    "callbacks",
    "classification",
    "data",
    "detection",
    "export",
    "info",
    "inside",
    "interpret",
    "learner",
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
)
_NOUNS = {
    "ImageData": "data",
    "Learner": "classification",
    "Predictor": "classification",
    "fine_tune": "classification",
    "load": "workbench",
}

__all__ = [*_SUBPACKAGES, *_NOUNS, "__version__"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NOUNS:
        return getattr(importlib.import_module(f"{__name__}.{_NOUNS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBPACKAGES, *_NOUNS])
