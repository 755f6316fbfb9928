"""Packages of an extra, imported with an error that names the extra."""

import importlib
from types import ModuleType


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, which the extra `extra` installs.

    Raises:
        ImportError: it is not installed; the message holds the pip command.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"This needs the package {module.split('.')[0]!r}. "
            f"Install it with: pip install 'kerasdl[{extra}]'"
        ) from error
