import json
import os
import subprocess
import sys

import pytest

from kerasdl import runtime


def test_start_is_quiet_and_sets_precision_and_determinism(programs):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    result = subprocess.run(
        [sys.executable, programs / "runtime_start.py"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert result.stderr == "WARNING:tensorflow:a warning of TensorFlow's\n"
    found = json.loads(result.stdout)
    assert found["first policy"] == "mixed_bfloat16"
    assert found["warnings with bfloat16"] == []
    assert len(found["warnings without float16"]) == 1
    assert "six times slower" in found["warnings without float16"][0]
    assert found["last policy"] == "float32"
    # TensorFlow refuses an unseeded draw when operations must be deterministic.
    assert "determinism" in found["unseeded"]


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="`precision` must be one of 'float32'"):
        runtime.start("bfloat16")


def test_silenced_swallows_both_streams_of_the_process(programs):
    result = subprocess.run(
        [sys.executable, programs / "prints_while_silenced.py"], capture_output=True
    )
    assert (result.stdout, result.stderr) == (b"before\nafter\n", b"")


def test_silenced_shows_what_it_swallowed_when_the_block_fails(capfd):
    with pytest.raises(RuntimeError, match="failed"):
        with runtime.silenced():
            os.write(1, b"the reason\n")
            raise RuntimeError("failed")
    assert capfd.readouterr() == ("", "the reason\n")
