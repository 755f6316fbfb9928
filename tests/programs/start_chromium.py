"""Starts COMMAND with two descriptors at 3 and 4, where Chromium wants them.

python start_chromium.py COMMANDS ANSWERS COMMAND...
"""

import os
import sys

os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
