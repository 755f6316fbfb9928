"""Prints before, while and after both streams are silenced."""

import os
import sys

from kerasdl.runtime import silenced

print("before")
with silenced():
    print("python")
    print("python", file=sys.stderr)
    os.write(1, b"library")
    os.write(2, b"library")
print("after")
