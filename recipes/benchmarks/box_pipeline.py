"""How fast photos with boxes come in, beside photos alone and beside Keras's layers.

    python recipes/benchmarks/box_pipeline.py --data data/raccoon_voc

All read the same training photos to 320x320 between black borders with the same ranges
of scale, place, mirror and light, in turns, in one run: look at the ratios. Keras's
pipeline is `Resizing`, `RandomFlip`, `RandomZoom`, `RandomTranslation` and
`RandomColorJitter` with boxes, in tf.data's map over all processors.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

BATCH = 8
BOXES, ALONE, KERAS = "kerasdl, boxes and mosaics", "kerasdl, photos alone", "Keras"
GOALS = {ALONE: 0.8, KERAS: 3.0}  # of what ours with boxes and mosaics is times as fast


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="photos with boxes")
    add("--image-size", type=int, default=320, metavar="N")
    add(
        "--passes", type=int, default=4, metavar="N", help="over the photos, of a round"
    )
    add("--rounds", type=int, default=5, metavar="N")
    add("--seed", type=int, default=0, metavar="N")
    add("--out", type=Path, default="box_pipeline.json", metavar="JSON")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start()
    annotations = kerasdl.detection.read_annotations(args.data)
    pipelines = {
        BOXES: ours(annotations, args, mosaic=0.5),
        "kerasdl, boxes": ours(annotations, args, mosaic=0.0),
        ALONE: alone(annotations, args),
        KERAS: theirs(annotations, args),
    }
    rates = {name: [] for name in pipelines}
    for _ in range(args.rounds):
        for name, dataset in pipelines.items():
            rates[name].append(rate(dataset, args.passes))
    for name, found in rates.items():
        times = median(rates[BOXES]) / median(found)
        goal = f", goal {GOALS[name]}" if name in GOALS else ""
        print(
            f"{name}: {median(found):.0f} photos a second ({min(found):.0f} to "
            f"{max(found):.0f}); boxes and mosaics are {times:.2f}x{goal}"
        )
    args.out.write_text(json.dumps(rates, indent=2) + "\n")


def rate(dataset, passes):
    """Photos a second, after a pass that starts everything."""
    sum(1 for _ in dataset)
    begin, count = time.perf_counter(), 0
    for _ in range(passes):
        count += sum(len(images) for images, _ in dataset)
    return count / (time.perf_counter() - begin)


def ours(annotations, args, mosaic):
    data = kerasdl.detection.BoxData(
        annotations, args.image_size, BATCH, "scenes", mosaic, seed=args.seed
    )
    return data.train


def alone(annotations, args):
    """The same photos and views, with a number each in place of boxes."""
    import numpy as np

    data = kerasdl.detection.BoxData(annotations, args.image_size, seed=args.seed)
    files = data.files("train")
    photos = kerasdl.data.PhotoBatches(
        [annotations.root / file for file in files],
        np.zeros(len(files), "float32"),
        args.image_size,
        BATCH,
        "pad",
        augment=kerasdl.detection.SCENES,
        shuffle=True,
        seed=args.seed,
    )
    return photos.dataset()


def theirs(annotations, args):
    import keras
    import numpy as np
    import tensorflow as tf

    scenes, form = kerasdl.detection.SCENES, {"bounding_box_format": "xyxy"}
    data = kerasdl.detection.BoxData(annotations, args.image_size, seed=args.seed)
    train = data.of_split("train")
    own = dict(list(train.boxes.groupby("file")))
    most = max(map(len, own.values()))
    boxes = np.zeros((len(train.photos), most, 4), "float32")
    labels = np.full((len(train.photos), most), -1, "int32")
    for place, file in enumerate(train.photos.index):
        if file in own:
            corners = own[file][["x1", "y1", "x2", "y2"]]
            boxes[place, : len(corners)], labels[place, : len(corners)] = corners, 0
    low, high = scenes.zoom_range
    layers = [
        keras.layers.RandomFlip("horizontal", **form),
        keras.layers.RandomZoom((low - 1, high - 1), fill_mode="constant", **form),
        keras.layers.RandomTranslation(
            scenes.height_shift_range,
            scenes.width_shift_range,
            fill_mode="constant",
            **form,
        ),
    ]
    light = keras.layers.RandomColorJitter(  # which takes no boxes
        brightness_factor=scenes.brightness,
        contrast_factor=scenes.contrast,
        saturation_factor=scenes.saturation,
        hue_factor=scenes.hue,
    )
    resizing = keras.layers.Resizing(
        args.image_size, args.image_size, pad_to_aspect_ratio=True, **form
    )

    def read(path, boxes, labels):
        image = tf.io.decode_image(
            tf.io.read_file(path), 3, expand_animations=False, dtype=tf.uint8
        )
        image = tf.ensure_shape(tf.cast(image, tf.float32), (None, None, 3))
        return resizing(
            {"images": image, "bounding_boxes": {"boxes": boxes, "labels": labels}}
        )

    def augment(batch):
        for layer in layers:
            batch = layer(batch, training=True)
        return light(batch["images"], training=True), batch["bounding_boxes"]

    paths = [str(annotations.root / file) for file in train.photos.index]
    dataset = tf.data.Dataset.from_tensor_slices((paths, boxes, labels))
    dataset = dataset.shuffle(len(paths), seed=args.seed)
    dataset = dataset.map(read, tf.data.AUTOTUNE).batch(BATCH)
    return dataset.map(augment, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


if __name__ == "__main__":
    main()
