"""Export a finished run: files for phones, servers and browsers, each proved.

    python recipes/export_model.py saved_models/cats_dogs

RUN/export/ gets the files, export_report.json and a picture. Every file answers the
check photos and is compared with the Keras model: accuracy, agreement, size, time.
Where int8 loses too much, tflite_mixed keeps the operators that do it in float.
Those photos are the test images of the run (the validation images if it has none), or
--check DIR; int8 finds its ranges on training images of the run, or on --calibration
DIR. DIR holds a folder per class.

A run of a table or of texts becomes `.keras`, SavedModel, TFLite and ONNX, proved on
its own rows. Of a translation SavedModel and TFLite hold the greedy search, from ids of
pieces to ids; there is no ONNX. translation.json beside them says what a text goes
through before pieces.model.

A run of a detector is proved by mAP on photos with boxes, which DIR holds in any form,
and by that of its masks; in int8 the last convolutions and what follows are float, of
two stages all from the proposals on. model_mediapipe.tflite is for MediaPipe's
ObjectDetector, and has no masks.

Exit code 1: a file cannot be written or run, loses more than --max-drop of accuracy, or
of mAP, or answers otherwise; what was written stays in RUN/export.partial/. 2: a bad
argument.
"""

import sys
from pathlib import Path

import kerasdl as kd

FORMATS = "keras,saved_model,tflite,tflite_fp16,tflite_dynamic,tflite_int8,onnx"
CALIBRATED = {"tflite_int8", "tflite_mixed"}
OF_PHOTOS = ("check", "calibration", "max_pixels", "max_drop", "tta", "seed")


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("run", metavar="RUN", type=Path, help="folder of a finished run")
    add(
        "--formats",
        default=FORMATS,
        help=f"default: {FORMATS}; or tflite_mixed; mediapipe of detectors",
    )
    add(
        "--check", metavar="DIR", help="photos that prove the files; default: the run's"
    )
    add(
        "--calibration",
        metavar="DIR",
        help="photos for the ranges of int8; default: the run's",
    )
    add(
        "--max-pixels",
        type=kd.workbench.positive_int,
        metavar="N",
        help="of a photo that is decoded; default: 64 million",
    )
    add(
        "--max-drop",
        type=float,
        metavar="SHARE",
        help="of accuracy or mAP; default: 0.01",
    )
    add("--tta", choices=("flip", "dihedral", "five_crop"), help="average over views")
    add("--out", type=Path, metavar="DIR", help="default: RUN/export")
    add("--seed", type=int, metavar="N", help="of the calibration photos; default: 0")
    add("--overwrite", action="store_true", help="replace an existing export")
    add("--verbose", action="store_true", help="show TensorFlow's lines")
    args = parser.parse_args(argv)
    known = {*FORMATS.split(","), *CALIBRATED, "mediapipe"}
    args.formats = args.formats.split(",")
    for name in args.formats:
        if name not in known:
            parser.error(f"--formats must be of {sorted(known)}. Received: {name!r}")
    if args.max_drop is not None and not 0 <= args.max_drop <= 1:
        parser.error(f"--max-drop must be in [0, 1]. Received: {args.max_drop}")
    return args


def main(argv=None):
    args = parse_args(argv)
    info = kd.runs.read_run(args.run)
    out = args.out or info.path / "export"
    if out.exists() and not args.overwrite:
        raise ValueError(
            f"`out` must not exist. Received: {out}. --overwrite replaces it."
        )
    write = info.of_task(
        {
            "image_classification": classifier,
            "tabular": table,
            "text_classification": table,
            "translation": table,
            "detection": detector,
        }
    )
    if write is not table:
        args.max_drop = 0.01 if args.max_drop is None else args.max_drop
        args.seed = args.seed or 0
    kd.runtime.start(verbose=args.verbose)
    try:
        report = write(args, info, out)
    except kd.export.ExportError as error:
        shown = "" if error.report is None else f"\n{error.report}\n\n"
        print(f"{shown}error: {error}", file=sys.stderr)
        sys.exit(1)
    print(f"\n{report}\n\n{out}/ holds the files and export_report.json")


def classifier(args, info, out):
    """Write the files of a classifier of photos, proved by its answers."""
    needs = {"check": args.check, "calibration": args.calibration}
    found = {
        name: kd.workbench.class_folders(name, folder, info, args.max_pixels)
        for name, folder in needs.items()
        if folder
    }
    is_calibrated = bool(CALIBRATED & set(args.formats))
    if "check" not in found or (is_calibrated and "calibration" not in found):
        recorded = kd.workbench.recorded_data(info)
        found = dict.fromkeys(needs, recorded) | found
    return kd.export.export_run(
        args.run,
        formats=args.formats,
        calibration=found.get("calibration"),
        check=found["check"],
        max_drop=args.max_drop,
        tta=args.tta,
        out=out,
        overwrite=args.overwrite,
        seed=args.seed,
    )


def table(args, info, out):
    """Write the files of a run of a table or of texts, proved on its check rows."""
    for option, value in vars(args).items():
        if value is not None and option in OF_PHOTOS:
            option = option.replace("_", "-")
            raise ValueError(f"--{option} is for runs of photos. Received: {value}")
    domain = info.of_task(
        {
            "tabular": kd.tabular,
            "text_classification": kd.text,
            "translation": kd.text.translation,
        }
    )
    formats = args.formats
    if formats == FORMATS.split(","):  # the default has those of photos too
        formats = [name for name in formats if name in domain.FORMATS]
        others = [name for name in args.formats if name not in formats]
        print(f"not made of a run of {info.task}: {', '.join(others)}")
    report = domain.export_run(info.path, formats, out, overwrite=args.overwrite)
    return report.to_string()


def detector(args, info, out):
    """Write the files of a detector, proved by the mAP of their answers."""
    if args.tta:
        raise ValueError(f"--tta is for runs of classifiers. Received: {args.tta}")
    formats = args.formats
    if formats == FORMATS.split(","):
        formats = kd.detection.DETECTION_FORMATS
    if args.check:
        masks = info.manifest.get("data", {}).get("masks", False)
        check = kd.workbench.checked_boxes("check", args.check, masks)
        calibration = None
    else:
        check, calibration = kd.workbench.recorded_boxes(info)
    if args.calibration:
        calibration = kd.workbench.checked_boxes("calibration", args.calibration)
    return kd.detection.export_run(
        info.path,
        check,
        formats,
        calibration,
        max_drop=args.max_drop,
        out=out,
        overwrite=args.overwrite,
        max_pixels=args.max_pixels or kd.data.MAX_PIXELS,
        seed=args.seed,
    )


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
