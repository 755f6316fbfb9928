"""Runs a recipe and kills it at call number N of a method.

    python kill_recipe.py COUNTER MODULE CLASS METHOD N RECIPE ARGUMENTS...

How many photos went through the trunk, batch by batch, goes into COUNTER.
"""

import importlib
import os
import runpy
import signal
import sys

from kerasdl.train import features

counter, module, name, method, calls, recipe, *arguments = sys.argv[1:]
append = features._RowFile.append


def counting(self, rows):
    append(self, rows)
    if self.path.name == "output-1.npy":  # the last one: a batch is finished
        with open(counter, "a") as file:
            file.write(f"{len(rows)}\n")


features._RowFile.append = counting
owner = getattr(importlib.import_module(module), name)
original, count = getattr(owner, method), 0


def dying(*args, **kwargs):
    global count
    count += 1
    if count > int(calls):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*args, **kwargs)


setattr(owner, method, dying)
sys.argv = [recipe, *arguments]
sys.path.insert(0, os.path.dirname(recipe))  # as `python RECIPE` does
runpy.run_path(recipe, run_name="__main__")
