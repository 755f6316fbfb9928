from dataclasses import replace

import pandas as pd

from kerasdl.detection import check_boxes
from kerasdl.detection.pictures import save_by_threshold, save_precision_recall


def test_classes_that_are_not_there_change_no_mean(tmp_path):
    values = {"score": [0.9], "precision": [1.0], "recall": [1.0], "f1": [1.0]}
    there, gone = pd.DataFrame(values), pd.DataFrame(values)[:0]
    there.attrs["truth"], gone.attrs["truth"] = [0], []
    save_by_threshold({"cat": there}, 0.5, tmp_path / "one.png")
    save_by_threshold({"cat": there, "dog": gone}, 0.5, tmp_path / "two.png")
    one, two = ((tmp_path / f"{name}.png").read_bytes() for name in ("one", "two"))
    assert one == two


def test_any_name_of_a_class_is_drawn_as_it_is(scenes, tmp_path):
    """Matplotlib takes what is between dollars for mathematics, "_x" for no label."""
    names = ["$_^$", "_x"]
    curve = pd.DataFrame({"recall": [0.5, 1.0], "precision": [1.0, 0.5]})
    figure = save_precision_recall(dict.fromkeys(names, curve), tmp_path / "a.png")
    shown = figure.axes[0].get_legend().get_texts()
    assert [text.get_text() for text in shown] == names
    labels = scenes.boxes["label"].map({"blue": names[0], "red": names[1]})
    named = replace(scenes, class_names=names, boxes=scenes.boxes.assign(label=labels))
    figure = check_boxes(named, verbose=0).plot(tmp_path / "b.png")
    ticks = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert sorted(ticks) == sorted(names)
