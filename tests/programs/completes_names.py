"""What a completer shows after `kd.`, and what that loads, as JSON."""

import json
import rlcompleter
import sys

import kerasdl as kd

matches = rlcompleter.Completer({"kd": kd}).attr_matches("kd.")
heavy = sorted({"tensorflow", "keras", "cv2", "pandas"} & set(sys.modules))
print(json.dumps({"matches": matches, "dir": dir(kd), "heavy": heavy}))
