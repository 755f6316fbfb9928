"""Runs side by side: curves over each other, best epochs, seconds an epoch.

    python recipes/compare_runs.py saved_models/cats_dogs saved_models/cats_dogs-2
    python recipes/compare_runs.py saved_models/cats_dogs --open

Runs of every kind are compared: of each the best epoch is that of the lowest loss on
the validation split, and what differs in how they were made is named. The page is
--out. Of one run, a classifier of photos, report.html in its folder is written anew
from its model and its photos. --open shows the page in a browser.
"""

import webbrowser
from functools import partial
from pathlib import Path

import kerasdl as kd

PAGE = "report.html"
HISTORY = "history.csv"
SIZE = (4.4, 3.4)  # inches of a picture, of which three stand in a row
NOT_CURVES = {"epoch", "seconds", "examples_per_second", "stage"}


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", type=Path, help="folders of finished runs")
    add(
        "--out",
        type=kd.workbench.writable_page,
        metavar="FILE.html",
        default=Path("compare.html"),
        help="page of several runs",
    )
    add("--overwrite", action="store_true", help="replace an existing --out")
    add("--open", action="store_true", help="show the page in a browser")
    add("--verbose", action="store_true", help="show TensorFlow's start-up lines")
    args = parser.parse_args(argv)
    if len({path.resolve() for path in args.runs}) < len(args.runs):
        named = ", ".join(map(str, args.runs))
        parser.error(f"RUN must be different folders. Received: {named}")
    if len(args.runs) > 1 and args.out.exists() and not args.overwrite:
        parser.error(
            f"--out must not exist. Received: --out {args.out}. --overwrite replaces it"
        )
    return args


def main(argv=None):
    args = parse_args(argv)
    runs = [kd.runs.read_run(path) for path in args.runs]
    if len(runs) > 1:
        page = compare(runs, args.out)
    else:
        kd.runtime.start(verbose=args.verbose)
        page = rewrite(runs[0])
    print(f"\n{page} has all of it")
    if args.open:
        webbrowser.open(page.resolve().as_uri())


def history_of(run):
    """The table of a run's epochs."""
    if not (run.path / HISTORY).is_file():
        raise ValueError(f"RUN must hold {HISTORY}. Received: {run.path}")
    history = kd.tables.read_csv("runs", run.path / HISTORY)
    if not len(history):
        raise ValueError(f"RUN must have epochs in {HISTORY}. Received: {run.path}")
    return history


def rewrite(run):
    """The report page of one run anew, from its model and its photos."""
    if run.task != "image_classification":
        raise ValueError(
            "RUN must be of photos for its page to be made anew; runs of every kind "
            f"are compared, two or more. Received: {run.path}, a run of {run.task}, "
            f"whose page is {PAGE}"
        )
    data = kd.workbench.recorded_data(run)
    model = kd.models.load_model(run.model_path)
    split = "test" if "test" in data.splits else "valid"
    thresholds = run.manifest.get("thresholds", 0.5)
    kd.interpret.save_report(
        kd.interpret.ClassificationReport.from_model(
            model, data, split, threshold=thresholds
        ),
        run.path / PAGE,
        f"{run.path.resolve().name}: {model.name}",
        run.manifest,
        history_of(run),
        model=model,
        seed=run.manifest["seed"],
    )
    return run.path / PAGE


def compare(runs, out):
    """One page of several runs, and its table on the screen."""
    import pandas as pd

    names = names_of(runs)
    histories = dict(zip(names, map(history_of, runs), strict=True))
    best = pd.DataFrame([best_epoch(found) for found in histories.values()], names)
    print(kd.tables.as_texts(best).to_string())
    shared = [column for found in histories.values() for column in found]
    curves = [
        curve(name, histories)
        for name in dict.fromkeys(shared)
        if name not in NOT_CURVES
    ]
    made = pd.DataFrame([how_made(run) for run in runs], names).T
    differs = made[made.nunique(axis=1, dropna=False) > 1]
    sections = [
        ("Best epochs", kd.page.table(best, "of the lowest validation loss")),
        ("Curves", kd.page.row(curves)),
    ]
    if len(differs):
        text = "arguments and facts in which they differ"
        sections.append(("How they were made", kd.page.table(differs, text)))
    intro = kd.page.note(", ".join(str(run.path) for run in runs))
    kd.page.save_page(out, " and ".join(names), intro, sections)
    return out


def names_of(runs):
    """The folders' names; whole paths where two are alike."""
    names = [run.path.resolve().name for run in runs]
    return names if len({*names}) == len(names) else [str(run.path) for run in runs]


def best_epoch(history):
    """What is known of the epoch of the lowest validation loss, or of the last."""
    losses = history.get("val_loss")
    row = len(history) - 1 if losses is None or losses.isna().all() else losses.idxmin()
    kept = history.drop(columns=["seconds", "epoch"], errors="ignore").iloc[row]
    seconds = history["seconds"] if "seconds" in history else None
    times = {}
    if seconds is not None:
        times = {"seconds_an_epoch": seconds.median(), "minutes": seconds.sum() / 60}
    # What is measured in some epochs alone, such as the mAP of a detector; of losses,
    # which may be NaN in some, the highest would be the worst, and of rates it says
    # nothing.
    is_rare = history.isna().any() & history.notna().any()
    is_rare &= ~history.columns.str.contains("loss|learning_rate")
    highest = history.loc[:, is_rare].max().add_prefix("highest_")
    return {"epochs": len(history), "best_epoch": row + 1, **times, **kept, **highest}


def curve(name, histories):
    """One column of all histories that have it, as a picture."""
    series = {run: found[name] for run, found in histories.items() if name in found}
    save = partial(
        kd.plots.save_lines, xlabel="epoch", ylabel=name, start=1, figsize=SIZE
    )
    return kd.page.chart(save, series, alt=f"{name} of each run", caption=name)


def how_made(run):
    """Arguments, seed, versions and the rest that a manifest begins with."""
    manifest = run.manifest
    facts = {name: manifest.get(name) for name in ("task", "kerasdl", "seed")}
    facts |= manifest.get("arguments", {})
    return {name: str(value) for name, value in facts.items()}


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
