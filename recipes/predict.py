"""Ask a finished run: label and probability of each photo or text, or of each row.

    python recipes/predict.py saved_models/cats_dogs photo.jpg folder --csv answers.csv

    python recipes/predict.py saved_models/table rows.csv --csv answers.csv

A folder stands for all photos below it. `--csv` writes a row for each photo: file,
label, probability, and the probability of each class. Of a run with several labels a
photo, all labels above their thresholds are the answer, or "no label". An answer that
is less than twice as probable as another is marked "unsure", and a photo that is far
from all that the network was trained on "unlike the training photos".

Of a run of a table, the one file is a CSV with the columns of the training; `--csv`
writes all its rows, their text as it is, with `prediction`, and of classes
`probability`.

    python recipes/predict.py saved_models/detect photos --json boxes.json

Of a run of a detector, `--json` writes a list of {"file", "label", "box": [x1, y1, x2,
y2], "score"}: all answers of a score of at least 0.001, at most 100 a photo, boxes in
edge coordinates from 0 in the photo's pixels; of a run with masks also "mask", an RLE
as COCO has it. `--threshold` cuts; `--csv` writes the same as a table; `--pictures DIR`
draws the answers into copies of the photos, from the score on at which F1 was best.

    python recipes/predict.py saved_models/sentiment REVIEWS.csv --csv answers.csv

Of a run of texts, the one file is a CSV or TSV, whose column of texts is found or named
by `--text-column`, or a .txt of one text a line; `--csv` writes for every row the text,
`label` and `probability`.

    python recipes/predict.py saved_models/translate TEXTS.txt --csv answers.csv

Of a run of a translation, the one file is a .txt of one text a line, or a CSV or TSV,
whose column of texts is found or named by `--text-column`; `--csv` writes for every row
the text and `translation`.

Exit code 1: a photo is damaged, or the model's answer to it is no number (it is named,
the others go on); or one to a row is none (it is named, nothing is written). 2: a bad
argument.
"""

import sys
from pathlib import Path

import kerasdl as kd


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    parser.add_argument("model", metavar="MODEL", help="run folder, or its model.keras")
    parser.add_argument(
        "images", metavar="FILE", nargs="+", help="photos, folders of them, or a file"
    )
    parser.add_argument(
        "--csv",
        type=kd.workbench.writable_file,
        metavar="PATH",
        help="write the answers as a table",
    )
    parser.add_argument(
        "--json",
        type=kd.workbench.writable_file,
        metavar="PATH",
        help="of a detector: write the boxes as a list",
    )
    parser.add_argument(
        "--threshold",
        type=kd.workbench.share,
        default=0.0,
        metavar="SCORE",
        help="of a detector",
    )
    parser.add_argument("--pictures", metavar="DIR", help="of a detector: draw boxes")
    parser.add_argument(
        "--max-pixels",
        type=kd.workbench.positive_int,
        default=64_000_000,
        metavar="N",
        help="of a photo that is decoded; default: 64 million",
    )
    parser.add_argument("--text-column", metavar="COLUMN", help="of a file of texts")
    parser.add_argument("--encoding", help="of a file of texts; default: utf-8")
    parser.add_argument(
        "--verbose", action="store_true", help="show TensorFlow's lines"
    )
    args = parser.parse_args(argv)
    missing = [image for image in args.images if not Path(image).exists()]
    if missing:
        parser.error(
            f"FILE must be an existing file or folder. Received: {', '.join(missing)}"
        )
    asked = {Path(image).resolve() for image in args.images}
    for option, path in (("--csv", args.csv), ("--json", args.json)):
        if path and path.resolve() in asked:
            parser.error(f"{option} must be another file than FILE. Received: {path}")
    try:
        run = kd.runs.read_run(args.model)
        args.answer = run.of_task(
            {
                "image_classification": classify,
                "tabular": predict_rows,
                "detection": detect,
                "text_classification": classify_texts,
                "translation": translate,
            }
        )
    except ValueError as error:
        parser.error(str(error))
    if args.answer is not detect and (args.json or args.pictures or args.threshold):
        parser.error(
            "--json, --pictures and --threshold are for runs of detectors. Received: "
            f"{run.path}, a run of {run.task}"
        )
    of_texts = args.answer in (classify_texts, translate)
    if not of_texts and (args.text_column or args.encoding):
        parser.error(
            "--text-column and --encoding are for runs of texts. Received: "
            f"{run.path}, a run of {run.task}"
        )
    return args


def main(argv=None):
    args = parse_args(argv)
    kd.runtime.start(verbose=args.verbose)
    return args.answer(args)


def classify(args):
    try:
        predictor = kd.Predictor.load(args.model)
        result = predictor.predict(
            args.images, on_error="skip", max_pixels=args.max_pixels
        )
    except ValueError as error:
        kd.workbench.say_error(error)
        return 2
    try:
        if args.csv:
            result.to_csv(args.csv)  # before anything is printed to who may not listen
    finally:  # a full disk shall not lose them
        print_answers(result)
    return 1 if result.damaged else 0


def predict_rows(args):
    """Answer the rows of one CSV file; print the first of them."""
    try:
        if len(args.images) > 1:
            raise ValueError(
                f"FILE must be one CSV file. Received: {', '.join(args.images)}"
            )
        found = kd.tabular.Predictor.load(args.model).predict(args.images[0])
    except ValueError as error:
        kd.workbench.say_error(error)
        return 2
    if args.csv:
        kd.tables.write_csv(args.csv, found)
    names = [name for name in ("prediction", "probability") if name in found]
    print(found[names].head(10).to_string() if len(found) else "0 rows")
    if len(found) > 10:
        print(f"... {len(found):,} rows")
    return 0


def classify_texts(args):
    """Say what each text of one file is."""
    return answer_texts(
        args,
        lambda text, label, probability: (
            f"{label} {probability:.4f}: {' '.join(text.split())[:60]}"
        ),
    )


def translate(args):
    """Translate each text of one file."""
    return answer_texts(args, lambda text, translation: translation)


def answer_texts(args, line):
    """Answer each text of one file; print the first of them, by `line` of a row."""
    try:
        if len(args.images) > 1:
            raise ValueError(
                f"FILE must be one file of texts. Received: {', '.join(args.images)}"
            )
        found = kd.load(args.model).predict(
            args.images[0], args.text_column, args.encoding or "utf-8"
        )
    except ValueError as error:
        kd.workbench.say_error(error)
        return 2
    if args.csv:
        kd.tables.write_csv(args.csv, found)
    for row in found.head(10).itertuples(index=False):
        print(line(*row))
    if len(found) > 10:
        print(f"... {len(found):,} texts")
    return 0


def detect(args):
    """Find boxes in photos, print the best, write files."""
    try:
        if args.pictures:
            kd.detection.make_pictures_folder(args.pictures, args.images)
        detector = kd.detection.Detector.load(args.model)
        found = detector.predict(
            args.images,
            on_error="skip",
            max_pixels=args.max_pixels,
            threshold=args.threshold,
        )
        if args.json:
            found.to_json(args.json)
        if args.csv:
            found.to_csv(args.csv)
        shown = max(args.threshold, detector.threshold)
        if args.pictures:
            found.save_pictures(args.pictures, shown)
    except ValueError as error:
        kd.workbench.say_error(error)
        return 2
    boxes = found.boxes[found.boxes["score"] >= shown]
    for file in found.photos.index:
        own = boxes[boxes["file"] == file]
        answers = [f"{row.label} {row.score:.4f}" for row in own.itertuples()]
        print(f"{file}: {', '.join(answers) or 'nothing'}")
    for file, reason in found.damaged.items():
        print(kd.data.ImageError(file, reason), file=sys.stderr)
    return 1 if found.damaged else 0


def print_answers(result):
    for number, file in enumerate(result.files):
        labels, row = result.labels[number], result.probabilities[number]
        value = dict(zip(result.class_names, row, strict=True))
        names = labels if result.is_multi_label else [labels]
        answer = ", ".join(f"{name} {value[name]:.4f}" for name in names) or "no label"
        remark = result.remark(number)
        print(f"{file}: {answer} ({remark})" if remark else f"{file}: {answer}")
    for file, reason in result.damaged.items():
        print(kd.data.ImageError(file, reason), file=sys.stderr)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
