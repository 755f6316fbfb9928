"""Fine-tune a detector on photos with boxes: fcos on a pretrained trunk.

    python recipes/detect_finetune.py --data data/raccoon_voc --seed 1

Without --data it draws heads of cats and dogs in scenes, and finds those. --data is a
folder in the form of Pascal VOC (XML), COCO (JSON), YOLO (data.yaml) or one table
(CSV); which is found by looking, and said. What is wrong with photos and boxes is named
first. The picture size, the finest level and what freezes are chosen by the boxes
unless they are given: objects of the smallest class shall have 24 pixels a side.

The run holds model.keras, which takes pixels and answers with boxes, model.tflite, and
report.html: average precision by class and size, curves, mistakes, the worst pictures.
"""

import math
from pathlib import Path

import kerasdl as kd

NAME = "detect"
PREDICT = """{out}/ holds the model and report.html; on photos of your own:
  python recipes/predict.py {out} PHOTOS --json boxes.json --pictures drawn"""
_SMALL = 24  # pixels a side that objects of the smallest class shall have
_SIDES = (320, 640)  # of pictures: the usual one, and the largest
_FREEZE = ("auto", "early", "none")


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("--data", default="sample", metavar="DIR", help="default: drawn scenes")
    add(
        "--cache",
        type=Path,
        metavar="DIR",
        help="of the drawn scenes; default: ~/.cache/kerasdl",
    )
    trunk = "pretrained trunk"
    add("--backbone", default="efficientnet_lite0", metavar="NAME", help=trunk)
    add("--weights", default="imagenet", metavar="FILE", help="of the backbone")
    parser.add_int("--image-size", None, "side in pixels; default: by the boxes")
    add(
        "--freeze",
        choices=_FREEZE,
        default="auto",
        help="layers of the trunk that stay as they are: its early ones, or none; "
        "default: early unless objects are small",
    )
    parser.add_int("--epochs", 32, "of one cosine cycle; default: %(default)s")
    parser.add_float("--learning-rate", 1e-3, "of the head; a tenth for the trunk")
    parser.add_int("--batch-size", 8, "default: %(default)s")
    parser.add_int("--max-train", None, "at most so many training photos; default: all")
    add(
        "--on-error",
        default="skip",
        choices=("skip", "raise"),
        help="leave out photos and boxes that are wrong, or stop",
    )
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    with kd.workbench.training_run(args, PREDICT, kd.workbench.check_backbone) as run:
        data, share = read(args, run.seed)
        model = build(args, data, share, run.seed)
        history = fit(args, run, data, model)
        print(kd.train.history_table(history))
        final = kd.detection.with_answers(model)
        report = kd.detection.DetectionReport.of(final, data)
        print(f"\n{report.coco.to_string(float_format='{:.3f}'.format)}")
        kd.detection.write_run_files(
            run, final, data, report, history=history, title=f"Detector of {args.data}"
        )


def read(args, seed):
    """The photos with boxes, and how large the objects of the smallest class are."""
    folder = args.data
    if folder == "sample":
        cache = args.cache or kd.train.default_cache_dir()
        folder = kd.data.write_scenes(cache / f"scenes-{kd.data.samples.DRAWING}")
    annotations = kd.detection.read_annotations(folder)
    found = kd.detection.check_boxes(annotations)
    print(found)
    if args.on_error == "raise" and len(found.faults):
        raise ValueError(
            "--data must be without faults with --on-error raise. Received: the "
            f"{len(found.faults)} above"
        )
    share = found.smallest_share
    least, most = _SIDES
    size = args.image_size or min(max(32 * math.ceil(_SMALL / share / 32), least), most)
    data = kd.detection.BoxData(
        annotations,
        size,
        args.batch_size,
        augment="scenes",
        mosaic=0.5,
        on_error=args.on_error,
        exclude=found.images.damaged,
        max_train=16 if args.quick else args.max_train,
        seed=seed,
    )
    print(data.counts().to_string())
    return data, share


def build(args, data, share, seed):
    """A detector whose finest level and frozen layers suit the smallest objects."""
    side = share * max(data.image_size)
    is_small = side < 2 * _SMALL
    trunk = kd.models.build_trunk(
        args.backbone, args.weights, data.image_size, seed=seed
    )
    strides = (4, 8, 16, 32) if is_small else kd.detection.STRIDES
    model = kd.detection.fcos(trunk, len(data.class_names), strides, seed=seed)
    optimizer = kd.workbench.adamw(args.learning_rate, 1e-4)
    model.compile(optimizer, kd.detection.PointLoss())
    freezes = args.freeze == "early" or (args.freeze == "auto" and not is_small)
    first = kd.models.backbone(args.backbone).middle if freezes else 0
    count = kd.train.freeze_to(model, first)
    print(
        f"pictures of {data.image_size}; the smallest class has {side:.0f} pixels a "
        f"side; strides {strides}; {count:,} parameters train"
    )
    return model


def fit(args, run, data, model):
    """Train by one cosine; what an earlier process did is read back."""
    epochs = 1 if args.quick else args.epochs
    measure = kd.callbacks.Evaluation(
        kd.detection.validation_map(data), every=max(epochs // 4, 1)
    )
    learn = kd.learner.Learner(model, data, run.path / kd.workbench.STATE)
    return learn.fit(
        slice(args.learning_rate), cycle_len=epochs, callbacks=[measure], resume=True
    )


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
