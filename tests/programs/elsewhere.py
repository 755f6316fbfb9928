"""Runs other programs, one after another, where kerasdl cannot be imported.

Each line that it reads is JSON: the folder to work in, the program and its arguments.
For each it writes what the program has printed and how it failed, if it did.
"""

import contextlib
import io
import json
import os
import runpy
import sys
import traceback
import warnings

sys.modules["kerasdl"] = None  # an import of it fails
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print is no answer
for line in sys.stdin:
    folder, *sys.argv = json.loads(line)
    if "keras" in sys.modules:  # what one program registered is its own
        sys.modules["keras"].saving.get_custom_objects().clear()
    os.chdir(folder)
    printed, failure = io.StringIO(), None
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except BaseException:
            failure = traceback.format_exc()
    print(json.dumps([printed.getvalue(), failure]), file=answers, flush=True)
