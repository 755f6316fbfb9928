import json
import os
import subprocess
import sys

import pytest

from kerasdl import runtime

START = """
import json
import warnings

from kerasdl import runtime

runtime.cpu_flags = lambda: {"avx2", "avx512_bf16"}
found = {}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", UserWarning)
    runtime.start("mixed_bfloat16", deterministic=True)
    import keras
    import tensorflow as tf

    found["first policy"] = keras.config.dtype_policy().name
    found["warnings with bfloat16"] = [str(warning.message) for warning in caught]
    runtime.start("mixed_float16")
    found["warnings without float16"] = [str(warning.message) for warning in caught]
runtime.start()
found["last policy"] = keras.config.dtype_policy().name
try:
    tf.random.uniform((2,))
except RuntimeError as error:
    found["unseeded"] = str(error)
tf.get_logger().warning("a warning of TensorFlow's")  # its logger still works
print(json.dumps(found))
"""


def test_start_is_quiet_and_sets_precision_and_determinism():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    result = subprocess.run(
        [sys.executable, "-c", START],
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


PRINT = """
import os, sys
from kerasdl.runtime import silenced

print("before")
with silenced():
    print("python")
    print("python", file=sys.stderr)
    os.write(1, b"library")
    os.write(2, b"library")
print("after")
"""


def test_silenced_swallows_both_streams_of_the_process():
    result = subprocess.run([sys.executable, "-c", PRINT], capture_output=True)
    assert (result.stdout, result.stderr) == (b"before\nafter\n", b"")


def test_silenced_shows_what_it_swallowed_when_the_block_fails(capfd):
    with pytest.raises(RuntimeError, match="failed"):
        with runtime.silenced():
            os.write(1, b"the reason\n")
            raise RuntimeError("failed")
    assert capfd.readouterr() == ("", "the reason\n")
