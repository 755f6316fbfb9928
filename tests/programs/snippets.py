"""Runs the snippets of a file, which lines of `# ---` part, in its folder."""

import sys
from pathlib import Path

for number, snippet in enumerate(Path(sys.argv[1]).read_text().split("# ---")):
    print("=", number)
    exec(snippet, {})
