"""Runs other programs, each in a process that is forked where Keras is imported.

TensorFlow is not begun here: they do as in processes of their own, and start at once.
Garbage is left, and no graph is optimised, as most run a few times.
Each line that is read is JSON: programs that run at the same time, each with the folder
to work in, what its environment has more, its arguments, and whether kerasdl can be
imported there. Of each the answer has the exit code, or less than 0 the signal that
ended it, what it has printed, and what came on stderr.
"""

import gc

gc.disable()
import json  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import runpy  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import traceback  # noqa: E402

import keras  # noqa: E402, F401
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from ai_edge_litert.interpreter import Interpreter  # noqa: E402, F401


def run(folder, environment, arguments, has_kerasdl):
    os.chdir(folder)
    os.environ.update(environment)
    random.seed()
    np.random.seed()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    if not has_kerasdl:
        sys.modules["kerasdl"] = None  # an import of it fails
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")


def begin(command):
    """The process that runs a command, and the files of what it says."""
    printed, errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
    process = os.fork()
    if process:
        return process, printed, errors
    code = 1
    try:
        os.dup2(errors.fileno(), 1)  # what libraries print is no answer
        os.dup2(errors.fileno(), 2)
        sys.stdout = printed
        run(*command)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def end(process, *files):
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    for file in files:
        file.seek(0)
    return [code, *(file.read() for file in files)]


for line in sys.stdin:
    begun = [begin(command) for command in json.loads(line)]
    print(json.dumps([end(*process) for process in begun]), flush=True)
