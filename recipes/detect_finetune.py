"""Fine-tune a detector on photos with boxes, on a pretrained trunk.

    python recipes/detect_finetune.py --data data/raccoon_voc --seed 1

Without --data it draws heads of cats and dogs in scenes, and finds those. --data is a
folder in the form of Pascal VOC (XML), COCO (JSON), YOLO (data.yaml) or one table
(CSV); which is found by looking, and said. What is wrong with photos and boxes is named
first. Picture size, finest level, what freezes and the epochs are chosen by the boxes
and photos unless they are given: objects of the smallest class shall have 24 pixels a
side, and twenty minutes of two cores shall do.

--model is fcos (points), retinanet (anchors), ssd_lite (the lightest), faster_rcnn or
mask_rcnn (two stages). The last gives masks, as fcos does with --masks.

The run holds model.keras, which takes pixels and answers with boxes, model.tflite,
report.html: average precision by class and size, curves, mistakes, the worst pictures;
and boxes.png: boxes by class, boxes a photo, their sides.
"""

from pathlib import Path

import kerasdl as kd

NAME = "detect"
PREDICT = """{out}/ holds the model and report.html; on photos of your own:
  python recipes/predict.py {out} PHOTOS --json boxes.json --pictures drawn"""
_MODELS = ("fcos", "retinanet", "ssd_lite", "faster_rcnn", "mask_rcnn")
_MASKS = ("fcos", "mask_rcnn")
_FREEZE = {"auto": None, "early": True, "none": False}
_SAMPLE_EPOCHS = 20  # of the drawn scenes: enough


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
    add("--model", choices=_MODELS, default="fcos", help="default: %(default)s")
    add("--masks", action="store_true", help="masks of objects too")
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
    parser.add_int("--epochs", None, "of one cosine cycle; default: by the photos")
    parser.add_float("--learning-rate", 1e-3, "of the head; a tenth for the trunk")
    parser.add_int("--batch-size", None, "default: 8, 4 of large pictures")
    parser.add_int("--max-train", None, "at most so many training photos; default: all")
    add(
        "--on-error",
        default="skip",
        choices=("skip", "raise"),
        help="leave out photos and boxes that are wrong, or stop",
    )
    args = parser.parse_run(argv, NAME)
    args.masks = args.masks or args.model == "mask_rcnn"
    if args.masks and args.model not in _MASKS:
        models = " or ".join(_MASKS)
        parser.error(f"--masks must be with --model {models}. Received: {args.model}")
    return args


def main(argv=None):
    args = parse_args(argv)
    with kd.workbench.training_run(args, PREDICT, kd.workbench.check_backbone) as run:
        data, choices, found = read(args, run)
        model = build(args, data, choices, run.seed)
        # The run's first file: what is refused above leaves nothing behind.
        found.plot(run.path / "boxes.png")
        history = fit(args, run, data, model, choices)
        print(kd.train.history_table(history))
        final = kd.detection.with_answers(model)
        report = kd.detection.DetectionReport.of(final, data)
        print(f"\n{report.coco.to_string(float_format='{:.3f}'.format)}")
        kd.detection.write_run_files(
            run, final, data, report, history=history, title=f"Detector of {args.data}"
        )


def read(args, run):
    """The photos with boxes, what suits them, and what was found of them."""
    folder = kd.workbench.box_folder(args.data, args.cache)
    annotations = kd.detection.read_annotations(folder)
    found = kd.detection.check_boxes(annotations, masks=args.masks)
    print(found)
    if args.on_error == "raise" and len(found.faults):
        raise ValueError(
            "--data must be without faults with --on-error raise. Received: the "
            f"{len(found.faults)} above"
        )
    run.manifest["damaged"] = sorted(found.images.damaged)
    data = kd.detection.BoxData(
        annotations,
        augment="scenes",
        mosaic=0.5,
        masks=args.masks,
        copy_paste=0.5 if args.masks else 0.0,
        on_error=args.on_error,
        exclude=run.manifest["damaged"],
        max_train=kd.workbench.QUICK_BOXES if args.quick else args.max_train,
        seed=run.seed,
    )
    kind = kd.detection.MODELS[args.model]
    sample = _SAMPLE_EPOCHS if args.data == "sample" else None
    choices = kd.detection.choose(
        found.smallest_share,
        len(data.files("train")),
        args.image_size,
        freezes=_FREEZE[args.freeze],
        batch_size=args.batch_size,
        epochs=1 if args.quick else args.epochs or sample,
        cost=kind.mask_cost if args.masks else kind.cost,
        minutes=kd.detection.MINUTES_OF_MASKS if args.masks else kd.detection.MINUTES,
    )
    data = data.with_image_size(choices.image_size, choices.batch_size)
    print(data.counts().to_string())
    stride = choices.strides[0] if kind.build is kd.detection.fcos else None
    for line in kd.detection.limits(data, stride=stride):
        print(line)
    return data, choices, found


def build(args, data, choices, seed):
    """A detector of which the chosen layers train."""
    trunk = kd.models.build_trunk(
        args.backbone, args.weights, data.image_size, seed=seed
    )
    kind = kd.detection.MODELS[args.model]
    options = {"strides": choices.strides} if kind.takes_strides else {}
    if args.masks:
        loss = kind.masks(kd.detection.mask_size(data.image_size))
    else:
        loss = kind.loss()
    if args.masks and kind.loss:
        options["masks"] = True
    model = kind.build(trunk, len(data.class_names), seed=seed, **options)
    model.compile(kd.workbench.adamw(args.learning_rate, 1e-4), loss)
    first = kd.models.backbone(args.backbone).middle if choices.freezes else 0
    count = kd.train.freeze_to(model, first)
    print(
        f"pictures of {data.image_size}; the smallest class has {choices.side:.0f} "
        f"pixels a side; {model.name}, strides {options.get('strides', 'its own')}; "
        f"{count:,} parameters train; {choices.epochs} epochs in batches of "
        f"{choices.batch_size}"
    )
    return model


def fit(args, run, data, model, choices):
    """Train by one cosine; what an earlier process did is read back."""
    measure = kd.callbacks.Evaluation(
        kd.detection.validation_map(data), every=max(choices.epochs // 4, 1)
    )
    learn = kd.learner.Learner(model, data, run.path / kd.workbench.STATE)
    return learn.fit(
        slice(args.learning_rate),
        cycle_len=choices.epochs,
        callbacks=[measure],
        resume=True,
    )


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
