"""A training step, and mAP, of fcos beside keras-cv's and keras-hub's detectors.

    python recipes/benchmarks/detectors.py --data data/raccoon_voc
    python recipes/benchmarks/detectors.py --data data/raccoon_voc --epochs 24

Same photos, same trunk (EfficientNet-Lite0, all layers train), same batches, AdamW 1e-3
by one cosine, in one process and in turns: look at the ratios. Peers that are not
installed are left out, and named: keras-cv's YOLOV8Detector, keras-hub's RetinaNet
(extra `bench`). Their own measures of boxes are not used: all are judged here. Ours
trains as `fit_cycles` lets it, and beside that by a plain `fit`, as the peers do.
"""

import argparse
import importlib.util
import time
from pathlib import Path
from statistics import median

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

OURS, PLAIN = "kerasdl fcos", "the same by a plain fit"
YOLO, RETINANET = "keras-cv YOLOV8Detector", "keras-hub RetinaNet"
PACKAGES = {YOLO: "keras_cv", RETINANET: "keras_hub"}
GOALS = {YOLO: 0.6, RETINANET: 0.2}  # of their CPU time that ours shall take
# Ends of blocks, as the peers' own trunks of this kind give them.
TAPS = {"P3": "block3b_add", "P4": "block5c_add", "P5": "block7a_project_bn"}
MOST = 32  # boxes of a view
ANSWERS = {"confidence_threshold": 0.001, "max_detections": 100}  # as ours


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="photos with boxes")
    add("--image-size", type=int, default=320, metavar="N")
    add("--batch-size", type=int, default=8, metavar="N")
    add("--steps", type=int, default=4, metavar="N", help="that are timed, each round")
    add("--rounds", type=int, default=3, metavar="N")
    add("--epochs", type=int, default=0, metavar="N", help="to train for mAP; or none")
    add("--seed", type=int, default=0, metavar="N")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start()
    import keras

    keras.utils.set_random_seed(args.seed)
    data = kerasdl.detection.BoxData.from_folder(
        args.data,
        image_size=args.image_size,
        batch_size=args.batch_size,
        augment="scenes",
        mosaic=0.5,
        seed=args.seed,
    )
    makers = {OURS: ours, PLAIN: plain, YOLO: yolo, RETINANET: retinanet}
    absent = [
        name
        for name, package in PACKAGES.items()
        if importlib.util.find_spec(package) is None
    ]
    if absent:
        print(f"not installed: {', '.join(absent)}")
    found = {n: make(data, args) for n, make in makers.items() if n not in absent}
    seconds = {name: [] for name in found}
    for _ in range(args.rounds):
        for name, (model, dataset, _) in found.items():
            seconds[name].append(step(model, dataset, args.steps))
    for name, times in seconds.items():
        share = median(seconds[OURS]) / median(times)
        goal = f", goal {GOALS[name]}" if name in GOALS else ""
        count = found[name][0].count_params()
        print(
            f"{name}: {median(times):.3f} CPU seconds a step ({min(times):.3f} to "
            f"{max(times):.3f}), {count:,} parameters; fcos takes {share:.2f}{goal}"
        )
    found.pop(PLAIN)  # its numbers are those of ours
    for name, (model, dataset, answers) in found.items() if args.epochs else ():
        trained(model, dataset, args)
        table = kerasdl.detection.average_precision(data.of_split("valid"), answers())
        print(f"{name}: mAP {table.loc['all', 'map']:.3f}")


def step(model, dataset, steps):
    """CPU seconds of a training step, after some that trace and warm."""
    batches = dataset.take(1).cache().repeat()
    model.fit(batches, steps_per_epoch=2, verbose=0)
    begin = time.process_time()
    model.fit(batches, steps_per_epoch=steps, verbose=0)
    return (time.process_time() - begin) / steps


def trained(model, dataset, args):
    """Train by one cosine."""
    import keras

    steps = args.epochs * int(dataset.cardinality())
    cosine = keras.optimizers.schedules.CosineDecay(1e-3, steps)
    model.optimizer.learning_rate = cosine
    model.fit(dataset, epochs=args.epochs, verbose=2)


def trunk_of(args):
    return kerasdl.models.build_trunk(
        "efficientnet_lite0", image_size=args.image_size, seed=args.seed
    )


def ours(data, args):
    """As `resumable_fit` and `fit_cycles` train it."""
    model, dataset, answers = plain(data, args)
    train = kerasdl.train
    return train.faster_steps(model), dataset, answers


def plain(data, args):
    detection = kerasdl.detection
    model = detection.fcos(trunk_of(args), len(data.class_names), seed=args.seed)
    model.compile(kerasdl.workbench.adamw(1e-3, 1e-4), detection.PointLoss())
    return model, data.train, lambda: detection.detect_split(model, data).boxes


def peer_dataset(data):
    """Batches as the peers take them: no box has -1 everywhere."""
    import tensorflow as tf

    def arranged(images, labels):
        labels = labels[:, :MOST]
        labels = tf.where(labels[..., 4:5] < 0, -1.0, labels)
        return images, {"boxes": labels[..., :4], "classes": labels[..., 4]}

    cardinality = data.train.cardinality()
    mapped = data.train.map(arranged, num_parallel_calls=tf.data.AUTOTUNE)
    return mapped.apply(tf.data.experimental.assert_cardinality(cardinality))


def yolo(data, args):
    import keras_cv

    trunk = trunk_of(args)
    # keras-cv finds the levels by names of layers.
    trunk.pyramid_level_inputs = TAPS
    model = keras_cv.models.YOLOV8Detector(
        num_classes=len(data.class_names),
        bounding_box_format="xyxy",
        backbone=trunk,
        fpn_depth=1,
        prediction_decoder=keras_cv.layers.NonMaxSuppression(
            bounding_box_format="xyxy", from_logits=False, iou_threshold=0.7, **ANSWERS
        ),
    )
    model.compile(
        box_loss="ciou",
        classification_loss="binary_crossentropy",
        optimizer=kerasdl.workbench.adamw(1e-3, 1e-4),
        jit_compile=False,
    )
    return model, peer_dataset(data), lambda: peer_answers(model, data)


def retinanet(data, args):
    import keras
    import keras_hub

    trunk = trunk_of(args)
    outputs = {level: trunk.get_layer(name).output for level, name in TAPS.items()}
    backbone = keras.Model(trunk.input, list(outputs.values()))
    backbone.pyramid_outputs = outputs
    # Levels, anchors and losses are its own.
    backbone = keras_hub.models.RetinaNetBackbone(
        image_encoder=backbone,
        min_level=3,
        max_level=7,
        use_p5=False,
        image_shape=trunk.input_shape[1:],
    )
    model = keras_hub.models.RetinaNetObjectDetector(
        backbone,
        len(data.class_names),
        bounding_box_format="xyxy",
        prediction_decoder=keras_hub.layers.NonMaxSuppression(
            bounding_box_format="xyxy", from_logits=True, **ANSWERS
        ),
    )
    model.compile(kerasdl.workbench.adamw(1e-3, 1e-4))

    def as_hub(images, boxes):
        return images, {"boxes": boxes["boxes"], "labels": boxes["classes"]}

    dataset = peer_dataset(data).map(as_hub)
    return model, dataset, lambda: peer_answers(model, data)


def peer_answers(model, data):
    """What a peer finds in the validation photos, in their pixels."""
    import numpy as np

    detection, files = kerasdl.detection, data.files("valid")
    geometry = detection.Geometry(data.image_size, data.resize)
    tables = []
    for view in detection.views(files, data.annotations.root, geometry):
        found = model.predict(view.pixels[None].astype("float32"), verbose=0)
        scores = np.array(found.get("confidence", found.get("scores")))
        labels = np.array(found.get("classes", found.get("labels")))
        count = np.array([(labels[0] >= 0).sum()])
        answers = {"boxes": np.array(found["boxes"]), "scores": scores}
        answers |= {"labels": labels, "count": count}
        named = [(view.file, view.size)]
        tables += detection.in_photos(answers, named, geometry, data.class_names)
    return detection.joined(tables)


if __name__ == "__main__":
    main()
