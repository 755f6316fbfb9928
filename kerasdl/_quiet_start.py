"""TensorFlow's lines at its start, kept out of notebooks and of what recipes say."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class QuietStart(MetaPathFinder):
    """Waits on `sys.meta_path` for TensorFlow, whoever imports it, and silences that.

    A level of logging does not: these lines come before TensorFlow reads one.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of TensorFlow, whose loader is quiet; of others none."""
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        loader = spec and spec.loader
        if loader is not None:
            load = loader.exec_module

            def quietly(module: ModuleType) -> None:
                from kerasdl.runtime import hush, silenced

                with silenced():
                    load(module)
                    hush(module)
                    # It prints where it looks for graphics cards, too.
                    module.config.list_physical_devices("GPU")

            loader.exec_module = quietly
        return spec


def install() -> None:
    """Let a TensorFlow that is not loaded yet show warnings alone, and no start."""
    waits = any(isinstance(finder, QuietStart) for finder in sys.meta_path)
    if waits or "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.meta_path.insert(0, QuietStart())
