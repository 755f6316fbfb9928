"""How fast photos come in: this library's pipelines beside what else there is.

    python recipes/benchmarks/input_pipeline.py --data data/cats_dogs

All read the same files to 150x150 with the augmentation of the Keras book's chapter
(the bare decode only decodes: the limit), in turns, in one run: the machine is the same
for all, so look at the ratios. DIR holds a folder of images for each of two classes, or
train/ with them; torchvision takes part if it is installed (the extra `bench`).

Sections: `rates`, images in a second; `generator`, the same in the chapter's batches of
20, rescaled, augmented and not; `parts`, what a photo's time goes into, on one thread;
`start`, time to the first batch and memory, with few and with many files; `fit`, an
epoch of a small convnet over the pipeline, and over its batches kept in memory.
"""

import argparse
import importlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

SIZE = (150, 150)
BATCH = 64
WORKERS = os.cpu_count()
SUFFIXES = (".jpg", ".jpeg", ".png")  # what all of them read
SECTIONS = ("rates", "generator", "parts", "start", "fit")
START_BATCHES, FIT_BATCHES, PARTS_OF = 30, 16, 200
VERDICT = {True: "reached", False: "MISSED"}
MISSING = {}  # packages that cannot be loaded, and why


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder of photos")
    add("--sections", nargs="+", default=SECTIONS, choices=SECTIONS)
    add("--images", type=int, default=2000, metavar="N", help="files of a pass")
    add("--many", type=int, default=25_000, metavar="N", help="files of `start`")
    add("--rounds", type=int, default=5, metavar="N", help="passes of each")
    add("--quick", action="store_true", help="a few batches, for trying things")
    add("--seed", type=int, default=0, metavar="N")
    add("--out", type=Path, default="input_pipeline.png", metavar="PNG", help="chart")
    add("--start-of", type=Path, help=argparse.SUPPRESS)  # see compare_starts
    args = parser.parse_args(argv)
    if args.quick:
        args.images, args.many, args.rounds = 2 * BATCH, 4 * BATCH, 1
    return args


def main(argv=None):
    args = parse_args(argv)
    if args.start_of:
        return print(json.dumps(first_batches(args.start_of)))
    if "tensorflow" not in sys.modules:
        load_torchvision()
    kerasdl.runtime.start()
    files = list_files(args.data)
    results = {"images": args.images, "processors": WORKERS, "seed": args.seed}
    with tempfile.TemporaryDirectory() as temporary:
        folder = link_images(files, Path(temporary, "images"), args.images)
        if "rates" in args.sections:
            results["rates"] = compare_rates(folder, args.rounds, args.seed)
            values = [median(rates) for rates in results["rates"].values()]
            names, label = list(results["rates"]), "images in a second"
            kerasdl.plots.save_bars(names, values, args.out, label, highlight=[OURS])
        if "generator" in args.sections:
            results["generator"] = compare_generators(folder, args.rounds, args.seed)
        if "parts" in args.sections:
            results["parts"] = measure_parts(files, args.rounds, args.seed)
        if "start" in args.sections:
            many = link_images(files, Path(temporary, "many"), args.many)
            results["start"] = compare_starts({args.images: folder, args.many: many})
        if "fit" in args.sections:
            results["fit"] = compare_fits(folder, args.rounds, args.seed)
    args.out.with_suffix(".json").write_text(json.dumps(results, indent=2) + "\n")


def load_torchvision():
    """Import torchvision while it can be: after TensorFlow its import crashes."""
    try:
        import torchvision  # noqa: F401
    except Exception as error:  # of a build for another torch it may be any
        first, *_ = str(error).splitlines() or [type(error).__name__]
        MISSING["torchvision"] = first


def list_files(data):
    """Images in the class folders of `data`, or of its train/."""
    root = data / "train" if (data / "train").is_dir() else data
    files = [f for f in sorted(root.glob("*/*")) if f.suffix.lower() in SUFFIXES]
    if len({file.parent for file in files}) != 2:
        raise SystemExit(f"--data must hold images of two classes. Received: {data}")
    return files


def link_images(files, folder, count):
    """Link `count` images to class folders in `folder`: a part, or with repetitions."""
    for i in range(count):
        file = files[i * len(files) // count]
        link = folder / file.parent.name / f"{i:06}{file.suffix}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file.resolve())
    return folder


def kerasdl_folder(folder, seed, batch=BATCH, augment="chapter"):
    dataset, _ = kerasdl.data.image_folder(
        folder,
        SIZE,
        batch,
        augment,
        label_mode="binary",
        resize="squash",
        shuffle=True,
        seed=seed,
    )
    return lambda: dataset


# The chapter's, as arguments of ImageDataGenerator.
AUGMENT = {
    "rotation_range": 40,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 0.2,
    "zoom_range": 0.2,
    "horizontal_flip": True,
}


def flow_of(module, folder, seed, batch=BATCH, **arguments):
    """`next(flow)` of the module's ImageDataGenerator."""
    generator = importlib.import_module(module).ImageDataGenerator(
        **(arguments or AUGMENT)
    )
    flow = generator.flow_from_directory(
        folder, SIZE, batch_size=batch, class_mode="binary", seed=seed
    )
    return lambda: (next(flow) for _ in range(len(flow)))


def keras_layers(folder, seed):
    import keras
    import tensorflow as tf
    from keras import layers

    augment = [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(40 / 360, fill_mode="nearest"),
        layers.RandomTranslation(0.2, 0.2, fill_mode="nearest"),
        layers.RandomShear(0.2 / 360, fill_mode="nearest"),
        layers.RandomZoom(0.2, 0.2, fill_mode="nearest"),
    ]
    augment = keras.Sequential(augment)
    dataset = keras.utils.image_dataset_from_directory(
        folder, label_mode="binary", batch_size=BATCH, image_size=SIZE, seed=seed
    )
    dataset = dataset.map(
        lambda images, labels: (augment(images, training=True), labels),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return lambda: dataset.prefetch(tf.data.AUTOTUNE)


def torchvision_loader(folder, seed):
    if "torchvision" not in sys.modules:
        reason = MISSING.get("torchvision", "TensorFlow was first")
        raise ModuleNotFoundError(reason)
    import torch
    from torchvision import datasets, transforms

    bilinear = transforms.InterpolationMode.BILINEAR
    augment = [
        transforms.Resize(SIZE),
        transforms.RandomAffine(40, (0.2, 0.2), (0.8, 1.2), 0.2, bilinear),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
    ]
    loader = torch.utils.data.DataLoader(
        datasets.ImageFolder(folder, transforms.Compose(augment)),
        BATCH,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),
        num_workers=WORKERS,
        persistent_workers=True,
        multiprocessing_context="spawn",  # TensorFlow's threads do not survive a fork
    )
    return lambda: loader


def bare_decode(folder, seed):
    import cv2
    import numpy as np

    contents = [file.read_bytes() for file in folder.glob("*/*")]
    chunks = [contents[i : i + BATCH] for i in range(0, len(contents), BATCH)]

    def decode(chunk):
        for content in chunk:
            cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
        return chunk, None

    def one_pass():
        with ThreadPoolExecutor(WORKERS) as pool:
            yield from pool.map(decode, chunks)

    return one_pass


OURS, OUR_FLOW = "kerasdl image_folder", "kerasdl next(flow)"
LEGACY = "tensorflow.keras.preprocessing.image"
# Each makes a function that gives the batches of one pass over the files; beside it the
# goal: our rate is to be at least so many times theirs.
CONTESTANTS = {
    OURS: (kerasdl_folder, None),
    OUR_FLOW: (partial(flow_of, "kerasdl.data"), None),
    "legacy ImageDataGenerator": (partial(flow_of, LEGACY), 7),
    "Keras layers": (keras_layers, 8),
    "torchvision DataLoader": (torchvision_loader, 2.5),
    "bare decode": (bare_decode, 0.8),
}


def compare_rates(folder, rounds, seed):
    """Print and return images in a second of each contestant, a number for a round."""
    passes = {}
    for name, (contestant, _) in CONTESTANTS.items():
        try:
            passes[name] = contestant(folder, seed)
        except ModuleNotFoundError as error:
            print(f"{name} is left out: {error}")
    rates = measure(passes, rounds, seed)
    print_rates(rates, OURS, {name: goal for name, (_, goal) in CONTESTANTS.items()})
    return rates


def compare_generators(folder, rounds, seed):
    """The same in the chapter's batches, of pixels in [0, 1], augmented and not."""
    rates = {}
    for case, augment in (("augmented", AUGMENT), ("plain", {})):
        options = {"batch": 20, "rescale": 1 / 255, **augment}
        preset = "chapter" if augment else None
        passes = {
            OUR_FLOW: flow_of("kerasdl.data", folder, seed, **options),
            "legacy ImageDataGenerator": flow_of(LEGACY, folder, seed, **options),
            OURS: kerasdl_folder(folder, seed, options["batch"], preset),
        }
        rates[case] = measure(passes, rounds, seed)
        print(f"\n{case}, batches of {options['batch']}:", end="")
        print_rates(rates[case], OUR_FLOW, {"legacy ImageDataGenerator": 6, OURS: 0.9})
    return rates


def measure(passes, rounds, seed):
    """Images in a second of each pass, a number for a round."""
    rates = {name: [] for name in passes}
    order = list(passes)
    for number in range(rounds + 1):
        random.Random(seed + number).shuffle(order)  # nobody always follows the same
        for name in order:
            time.sleep(0.3)  # for what the one before has still under way
            start = time.perf_counter()
            count = sum(len(images) for images, _ in passes[name]())
            if number:  # the first pass warms up
                rates[name].append(count / (time.perf_counter() - start))
    return rates


def print_rates(rates, ours, goals):
    print(f"\n{'':27}{'img/s':>7}{'min - max':>15}{'ours is':>9}{'goal':>7}")
    for name, values in rates.items():
        low, middle, high = min(values), median(values), max(values)
        ratio, goal = median(rates[ours]) / middle, goals.get(name)
        goal = f"{goal:6}x {VERDICT[ratio >= goal]}" if goal else ""
        print(f"{name:27}{middle:7,.0f}{low:8,.0f} -{high:5,.0f}{ratio:8.2f}x{goal}")


def measure_parts(files, rounds, seed):
    """Print and return microseconds of the parts of a photo, each at its fastest."""
    import cv2
    import numpy as np

    data = importlib.import_module("kerasdl.data")
    augment = importlib.import_module("kerasdl.data.augment")
    files = files[:: max(len(files) // PARTS_OF, 1)]
    draws = np.random.default_rng(seed).random((len(files), augment.NUM_DRAWS))
    transforms = augment.chapter().transforms(draws, SIZE)
    seconds = {}

    def timed(name, file, function, *arguments):
        start = time.perf_counter()
        result = function(*arguments)
        taken = time.perf_counter() - start
        fastest = seconds.setdefault(name, {})
        fastest[file] = min(taken, fastest.get(file, taken))
        return result

    def bare(content):
        encoded = np.frombuffer(content, np.uint8)
        return cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)

    for _ in range(rounds + 1):
        for file, matrix in zip(files, transforms, strict=True):
            content = timed("read", file, file.read_bytes)
            timed("bare decode", file, bare, content)
            timed("headers", file, data.encoded_size, content, file)
            decode = partial(data.decode_image, content, file, SIZE)
            photo = timed("headers and decode", file, decode)
            warp = partial(data.warp_image, photo, SIZE, "squash", transform=matrix)
            view = timed("warp", file, warp)
            timed("floats", file, view.astype, "float32")
    parts = {
        name: 1e6 * sum(each.values()) / len(each) for name, each in seconds.items()
    }
    print("\nmicroseconds of a photo: ", end="")
    print(", ".join(f"{name} {part:.0f}" for name, part in parts.items()))
    return parts


def compare_starts(folders):
    """Print and return what a fresh process needs for each folder."""
    print(f"\n{'files':>8}{'first batch':>14}{'goal':>6}{'memory':>21}")
    starts = {}
    for count, folder in folders.items():
        command = [sys.executable, __file__, "--data", folder, "--start-of", folder]
        output = subprocess.check_output(command, text=True)
        start = starts[count] = json.loads(output.splitlines()[-1])
        seconds, megabytes = start["seconds"], start["megabytes"]
        reached = VERDICT[seconds <= 2]
        print(f"{count:8,}{seconds:12.2f} s   2 s {reached}{megabytes:10,.0f} MB")
    return starts


def first_batches(folder):
    """Seconds to the first batch, without imports; memory after START_BATCHES."""
    kerasdl.runtime.start()
    importlib.import_module("kerasdl.data")
    start = time.perf_counter()
    batches = iter(kerasdl_folder(folder, seed=0)().take(START_BATCHES))
    next(batches)
    seconds = time.perf_counter() - start
    for _ in batches:
        pass
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"seconds": seconds, "megabytes": pages * resource.getpagesize() / 2**20}


def compare_fits(folder, rounds, seed):
    """Print and return seconds of an epoch over the pipeline and over memory."""
    pipeline = kerasdl_folder(folder, seed)().take(FIT_BATCHES)
    datasets = {"pipeline": pipeline, "memory": pipeline.cache().prefetch(1)}
    model = small_convnet()
    seconds = {name: [] for name in datasets}
    for number in range(rounds + 1):
        for name, dataset in datasets.items():
            start = time.perf_counter()
            model.fit(dataset, shuffle=False, verbose=0)
            if number:  # the first epoch compiles, and fills the memory
                seconds[name].append(time.perf_counter() - start)
    ours, best = (median(values) for values in seconds.values())
    print(f"\nfit: pipeline {ours:.2f} s, memory {best:.2f} s, ratio {ours / best:.3f}")
    return seconds


def small_convnet():
    from keras import Sequential, layers

    model = Sequential([layers.Rescaling(1 / 255)])
    for filters in (32, 64, 128, 128):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(optimizer="rmsprop", loss="binary_crossentropy")
    return model


if __name__ == "__main__":
    main()
