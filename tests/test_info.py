import platform
import sys
import tomllib
from importlib import import_module, metadata
from pathlib import Path

import pytest

import kerasdl
from kerasdl import runtime
from kerasdl.__main__ import main
from kerasdl.info import info


@pytest.fixture
def shown(monkeypatch, tmp_path, capsys):
    """A function that runs `kerasdl info` in this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["kerasdl", "info"])

    def run():
        main()
        lines = capsys.readouterr().out.splitlines()
        return dict(line.split(maxsplit=1) for line in lines)

    return run


def test_versions_devices_and_cache(shown, tmp_path):
    folder = tmp_path / "kerasdl" / "resized"
    folder.mkdir(parents=True)
    (folder / "photo.jpg").write_bytes(b"x" * 2_600_000)
    facts = shown()
    assert facts["kerasdl"] == kerasdl.__version__
    assert facts["python"] == platform.python_version()
    assert facts["keras"] == metadata.version("keras")
    assert "CPU:0" in facts["devices"].split(", ")
    assert facts["oneDNN"] in ("on", "off")
    assert facts["cache"] == f"{tmp_path / 'kerasdl'}, 3 MB"


def test_extras_are_there_when_all_their_packages_are(monkeypatch):
    needed = ["numpy>=2", 'numpy>=2; extra == "one"', "keras; extra == 'two'"]
    needed += ['no-such-package>=1; extra == "two"', "pandas; extra == 'three'"]
    monkeypatch.setattr(metadata, "requires", lambda name: needed)
    assert info()["extras"] == "one, three; without two"


@pytest.mark.parametrize(
    ("flags", "features"),
    [
        ({"avx2"}, ["yes", "no", "no", "no"]),
        ({"avx2", "avx512f", "avx512_vnni"}, ["yes", "yes", "yes", "no"]),
        ({"avx2", "avx512f", "amx_bf16"}, ["yes", "yes", "no", "yes"]),
        ({"avx_vnni", "avx2"}, ["yes", "no", "yes", "no"]),
        ({"asimd", "bf16"}, ["no", "no", "no", "yes"]),
        (set(), ["not known"] * 4),
    ],
)
def test_features_are_the_processor_s(flags, features, shown, monkeypatch):
    monkeypatch.setattr(runtime, "cpu_flags", lambda: flags)
    facts = shown()
    assert [facts[name] for name in ("AVX2", "AVX-512", "VNNI", "bf16")] == features


def test_the_command_is_the_module_s(capsys):
    project = Path(__file__).parents[1] / "pyproject.toml"
    scripts = tomllib.loads(project.read_text())["project"]["scripts"]
    module, name = scripts["kerasdl"].split(":")
    main = getattr(import_module(module), name)
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit):
        main(["inform"])
    assert "invalid choice: 'inform'" in capsys.readouterr().err
