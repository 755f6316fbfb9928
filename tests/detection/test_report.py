import re

import numpy as np
import pandas as pd
import pytest

from kerasdl.detection import Annotations, DetectionReport, Detections


@pytest.mark.parametrize("count", [19, 20, 21])
def test_where_rows_are_hidden_the_worst_are_not(tmp_path, count):
    """The page shows 20 rows until one looks for others; "all" is one of them."""
    names = [f"class {number}" for number in range(count)]
    photos = {"a.png": {"height": 9, "width": 9}}
    truth = Annotations.of(tmp_path, names, photos, [])
    found = Detections(tmp_path, truth.photos, truth.boxes, names, {})
    rows = pd.Index([*names, "all"])
    values = np.append(np.linspace(0.9, 0.1, count), 0.5)
    coco = pd.DataFrame(dict.fromkeys(("map", "ap50", "ap75"), values), rows)
    voc = pd.DataFrame({"ap50": values}, rows)
    report = DetectionReport(truth, found, coco, voc, {"f1": 0.5, "threshold": 0.5})
    assert "\n  photos     1\n  boxes      0\n" in repr(report)
    assert repr(report).endswith("  f1         0.5000\n  threshold  0.5000")
    assert repr(found).startswith(
        f"Detections\n  photos   1: a.png\n  classes  {count}"
    )
    page = report._result()
    shown = re.findall('<th scope="row">(.*?)</th>', page)
    is_hiding = len(shown) > 20
    assert ("Find a class" in page) == is_hiding == ("the lowest first" in page)
    worst_first = ["all", *reversed(names)]
    assert shown == (worst_first if is_hiding else [*names, "all"])
