"""What a report of a fault should begin with: versions, processor, devices, cache."""

import os
import platform
import re
from importlib import metadata
from pathlib import Path

import kerasdl

from . import runtime
from ._cache_dir import default_cache_dir

_PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "ai-edge-litert")
# Words of /proc/cpuinfo by what they stand for; one is enough. The last are ARM's.
_FEATURES = {
    "AVX2": {"avx2"},
    "AVX-512": {"avx512f"},
    "VNNI": {"avx512_vnni", "avx_vnni"},
    "AMX": {"amx_tile"},
    "bf16": {"avx512_bf16", "amx_bf16", "bf16"},
    "fp16": {"avx512_fp16", "amx_fp16", "fphp"},
}


def info() -> dict[str, str]:
    """Versions, the processor's features, devices, and the cache folder with its size.

    TensorFlow is started, quietly, as only it knows its devices.
    """
    versions = {"kerasdl": kerasdl.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    folder = default_cache_dir()
    return {
        **versions,
        "system": platform.platform(),
        "processors": str(os.cpu_count()),
        **_features(),
        "oneDNN": "on" if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1" else "off",
        "extras": _extras(),
        "devices": _devices(),
        "cache": f"{folder}, {_size(folder) / 1e6:.0f} MB",
    }


def _extras() -> str:
    """The extras all of whose packages are installed, and the others."""
    try:
        needed = metadata.requires("kerasdl") or []
    except metadata.PackageNotFoundError:
        return "not known: kerasdl itself is not installed"
    installed: dict[str, bool] = {}
    for line in needed:
        if found := re.match(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]", line):
            package, extra = found.groups()
            is_there = installed.get(extra, True) and _is_installed(package)
            installed[extra] = is_there
    there = [extra for extra, is_there in installed.items() if is_there]
    missing = [extra for extra, is_there in installed.items() if not is_there]
    return f"{', '.join(there) or 'none'}; without {', '.join(missing) or 'none'}"


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _features() -> dict[str, str]:
    flags = runtime.cpu_flags()
    if not flags:
        return dict.fromkeys(_FEATURES, "not known")
    return {name: "yes" if flags & of else "no" for name, of in _FEATURES.items()}


def _devices() -> str:
    runtime.start()
    import tensorflow as tf

    return ", ".join(
        device.name.removeprefix("/physical_device:")
        for device in tf.config.list_physical_devices()
    )


def _size(folder: Path) -> int:
    """Bytes of all files below `folder`; 0 if it is not there."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
