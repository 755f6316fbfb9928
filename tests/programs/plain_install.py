"""What an installed kerasdl does where no extra is installed, as JSON.

Arguments: a folder for a run.
"""

import contextlib
import inspect
import io
import json
import pydoc
import sys

EXTRAS = """ai_edge_litert fastapi faster_coco_eval jieba keras_cv keras_hub
lightgbm onnx onnxruntime opencc pillow_heif prometheus_client python_multipart
sacrebleu sentencepiece simplemma skimage snowballstemmer starlette tf2onnx
uvicorn""".split()
sys.modules.update(dict.fromkeys(EXTRAS))  # None: an import of it is an error

from kerasdl.__main__ import main  # noqa: E402


def said(*argv):
    """What the command prints, and its exit code."""
    code = 0
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            main(argv)
        except SystemExit as stopped:
            code = stopped.code or 0
    return [code, printed.getvalue()]


found = {"help": said("--help"), "recipes": said("recipes")}
found["light"] = not {"tensorflow", "keras", "cv2", "pandas"} & set(sys.modules)
found["tour"] = said("recipe", "convolution_tour", "--list")
found["zoo"] = said("zoo", "--networks", "lenet5", "--out", sys.argv[1])

import kerasdl  # noqa: E402

own = {}
exec("from kerasdl import *", own)
found["file"] = kerasdl.__file__
found["star"] = sorted(set(own) - {"__builtins__"})
found["members"] = sorted(name for name, _ in inspect.getmembers(kerasdl))
for name, room in inspect.getmembers(kerasdl, inspect.ismodule):
    inspect.getmembers(room)
    found["looked at"] = name
found["documented"] = pydoc.render_doc(kerasdl).splitlines()[0]
try:
    kerasdl.serving.create_app(None)
except ImportError as error:
    found["used"] = str(error)
print(json.dumps(found))
