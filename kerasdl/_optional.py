"""Packages of an extra, imported with an error that names the extra."""

import importlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from types import ModuleType
from typing import Any


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


def missing(modules: Sequence[str]) -> list[str]:
    """Those of `modules` that are not installed."""
    return [module for module in modules if find_spec(module) is None]


def stand_in(module: str, extra: str) -> Callable[..., Any]:
    """What a name is, whose own module cannot be imported without `module`.

    It may be looked at; a call raises the ImportError of `require`.
    """

    def needs_extra(*args: Any, **kwargs: Any) -> Any:
        require(module, extra)

    needs_extra.__doc__ = f"Needs {module!r}: pip install 'kerasdl[{extra}]'"
    return needs_extra
