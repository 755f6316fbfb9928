import json
import runpy

from kerasdl.detection import write_coco


def test_rates_of_all_pipelines(recipes_path, draw_scenes, tmp_path, capsys):
    scenes = draw_scenes(tmp_path, count=4, splits=("train", "valid"))
    for split in ("train", "valid"):
        write_coco(scenes.of_split(split), tmp_path / f"{split}.json")
    main = runpy.run_path(str(recipes_path / "benchmarks/box_pipeline.py"))["main"]
    out = tmp_path / "rates.json"
    options = ["--image-size", "32", "--passes", "1", "--rounds", "1"]
    main(["--data", str(tmp_path), "--out", str(out), *options])
    rates = json.loads(out.read_text())
    assert len(rates) == 4 and all(found[0] > 0 for found in rates.values())
    assert "boxes and mosaics are 1.00x" in capsys.readouterr().out
