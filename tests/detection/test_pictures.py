import pandas as pd

from kerasdl.detection.pictures import save_by_threshold


def test_classes_that_are_not_there_change_no_mean(tmp_path):
    values = {"score": [0.9], "precision": [1.0], "recall": [1.0], "f1": [1.0]}
    there, gone = pd.DataFrame(values), pd.DataFrame(values)[:0]
    there.attrs["truth"], gone.attrs["truth"] = [0], []
    save_by_threshold({"cat": there}, 0.5, tmp_path / "one.png")
    save_by_threshold({"cat": there, "dog": gone}, 0.5, tmp_path / "two.png")
    one, two = ((tmp_path / f"{name}.png").read_bytes() for name in ("one", "two"))
    assert one == two
