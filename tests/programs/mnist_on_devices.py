"""Runs mnist_convnet.py on machines; one that is told to dies after its first epoch.

python mnist_on_devices.py DATA OUT STRATEGY [die] ARGUMENTS...
"""

import os
import runpy
import sys

from kerasdl import callbacks


def die(self, epoch, logs=None):
    if epoch == 0:
        os.kill(os.getpid(), 9)


folder, out, strategy, *more = sys.argv[1:]
if "die" in more:
    more.remove("die")
    callbacks.ExamplesPerSecond.on_epoch_end = die
options = ["--batch-size", "100", "--epochs", "2", "--seed", "3"]
sys.argv = ["mnist_convnet.py", "--data", folder, "--out", out, *options]
sys.argv += ["--strategy", strategy, *more]
runpy.run_path("recipes/mnist_convnet.py", run_name="__main__")
