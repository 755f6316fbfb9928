r"""How the practice fares on photos of many kinds, beside a logistic regression.

    python recipes/benchmarks/practice.py --data data --out practice

DIR holds cats_dogs/ (train/, valid/ and test/ with a folder per class), dog_breeds/
(labels.csv and train/), pets_trimaps/images/ (train/ and valid/, names like
shiba_inu_1.jpg), cifar10/ (train/ and test/ with a folder per class) and fashion-mnist/
(its IDX files). Of these, sets of photos are drawn for each seed and written to
OUT/sets, and `cats_dogs_finetune.py --baseline` runs on each with its defaults. Sets
without test photos of their own test on another third of their photos for each seed;
breeds of fewer than three are left out.

A run that is there already is read, one that was cut off goes on. So OUT/runs may hold
those of an older version, which ran on the same sets.
"""

import argparse
import json
import random
import re
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

TEST = 100  # images of each class that test CIFAR-10 and Fashion-MNIST


class PhotoSet(NamedTuple):
    """Photos of a class: None trains on all, and takes the validation photos given."""

    folder: str
    train: int | None
    valid: int | None


SETS = {
    "cats_dogs_40": PhotoSet("cats_dogs", 20, 10),
    "cats_dogs_200": PhotoSet("cats_dogs", 100, 50),
    "cats_dogs_2000": PhotoSet("cats_dogs", None, None),
    "dog_breeds": PhotoSet("dog_breeds", None, 1),
    "pets": PhotoSet("pets_trimaps", None, 20),
    "cifar10_20": PhotoSet("cifar10", 20, 10),
    "cifar10_200": PhotoSet("cifar10", 200, 50),
    "fashion_mnist_100": PhotoSet("fashion-mnist", 100, 25),
}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR")
    add("--out", type=Path, required=True, metavar="DIR", help="of sets and runs")
    add("--sets", nargs="+", default=list(SETS), choices=SETS, metavar="NAME")
    add("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="N")
    add("--cache", type=Path, metavar="DIR", help="of activations")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    import pandas as pd

    sys.path.insert(0, str(Path(__file__).parents[1]))
    import cats_dogs_finetune

    rows = []
    for name in args.sets:
        for seed in args.seeds:
            folder = args.out / "sets" / f"{name}-{seed}"
            if not folder.exists():
                partial = folder.with_suffix(".partial")  # a kill leaves no half set
                shutil.rmtree(partial, ignore_errors=True)
                write_set(SETS[name], args.data, partial, seed)
                partial.rename(folder)
            run = args.out / "runs" / folder.name
            if not run.exists():
                options = ["--data", folder, "--out", run, "--seed", seed, "--baseline"]
                options += ["--cache", args.cache or args.out / "cache"]
                if run.with_name(f"{run.name}.partial").exists():
                    options.append("--resume")
                cats_dogs_finetune.main([str(option) for option in options])
            rows.append({"set": name, "seed": seed, **results(run)})
    table = pd.DataFrame(rows)
    print(f"\n{table.to_string(index=False, float_format='{:.4g}'.format)}")
    means = table.drop(columns="seed").groupby("set", sort=False).mean()
    means.loc["mean of the sets"] = means.mean()
    print(f"\n{means.to_string(float_format='{:.4f}'.format)}")


def results(run):
    """Test accuracy of each stage of `run` and of what it kept, and minutes."""
    found = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["results"]
    stages = {stage["stage"]: stage for stage in found["stages"]}
    row = {name: stage["test"] for name, stage in stages.items()}
    minutes = sum(stage["minutes"] for stage in stages.values())
    row |= {"kept": row[found["best"]], "minutes": minutes}
    if "baseline" in found:
        row["logistic regression"] = found["baseline"]["test"]
    return row


def write_set(photo_set, data, folder, seed):
    """Write train/, valid/ and test/ with a folder per class, of links to photos."""
    rng = random.Random(seed)
    pool = photos(photo_set.folder, data, folder.parent)
    for name, files in sorted(pool["train"].items()):
        files = sorted(files)
        random.Random(0).shuffle(files)  # no order of theirs, and the same for all
        test = pool["test"].get(name)
        if test is None:
            test = files[seed % 3 :: 3]
            files = [file for file in files if file not in test]
        rng.shuffle(files)
        if photo_set.valid is None:
            valid = pool["valid"][name]
        else:
            valid, files = files[: photo_set.valid], files[photo_set.valid :]
        splits = {"train": files[: photo_set.train], "valid": valid, "test": test}
        for split, chosen in splits.items():
            place = folder / split / name
            place.mkdir(parents=True)
            for file in chosen:
                (place / file.name).symlink_to(file.resolve())


def photos(name, data, work):
    """Files by class, by split; a split that is not there is drawn."""
    root = data / name
    if name == "fashion-mnist":
        root = unpacked_fashion_mnist(root, work / name)
    splits = {"train": {}, "valid": {}, "test": {}}
    if name == "dog_breeds":
        import pandas as pd

        table = pd.read_csv(root / "labels.csv")
        for breed, rows in table.groupby("breed"):
            if len(rows) >= 3:
                files = [root / "train" / f"{photo}.jpg" for photo in rows["id"]]
                splits["train"][breed] = files
    elif name == "pets_trimaps":
        by_breed = defaultdict(list)
        for file in root.glob("images/*/*.jpg"):
            by_breed[re.sub(r"_\d+$", "", file.stem)].append(file)
        splits["train"] = by_breed
    else:
        for split, classes in splits.items():
            for folder in root.glob(f"{split}/*"):
                files = sorted(folder.iterdir())
                own = split == "test" and name != "cats_dogs"
                classes[folder.name] = files[:TEST] if own else files
    return splits


def unpacked_fashion_mnist(root, out):
    """Write the first images of Fashion-MNIST as files, and return their folder."""
    import numpy as np
    from PIL import Image

    if out.exists():
        return out
    data = kerasdl.data.fashion_mnist(root, seed=0)
    for split in ("train", "test"):
        pixels, labels = data.pictures(split), data.labels(split)
        for label, name in enumerate(data.class_names):
            place = out / split / name
            place.mkdir(parents=True, exist_ok=True)
            for row in np.flatnonzero(labels == label)[: 5 * TEST]:
                Image.fromarray(pixels[row]).save(place / f"{row}.png")
    return out


if __name__ == "__main__":
    kerasdl.workbench.run_recipe(main)
