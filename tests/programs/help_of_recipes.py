"""What `import kerasdl` and `--help` of recipes load, and what that says, as JSON."""

import contextlib
import importlib
import io
import json
import pathlib
import runpy
import sys

loaded, texts = {}, {}


def note(step):
    loaded[step] = sorted({"tensorflow", "keras", "cv2"} & set(sys.modules))


for module in ("kerasdl", "kerasdl.runs"):
    importlib.import_module(module)
    note(f"import {module}")
for recipe in sys.argv[1:]:
    sys.argv = [recipe, "--help"]
    sys.path.insert(0, str(pathlib.Path(recipe).parent))  # as `python RECIPE` does
    printed = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(printed):
        runpy.run_path(recipe, run_name="__main__")
    note(recipe)
    texts[recipe] = printed.getvalue()
print(json.dumps({"loaded": loaded, "texts": texts}))
