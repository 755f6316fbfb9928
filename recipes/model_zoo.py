"""What the networks of `kd.models` cost, as a table and as pictures.

    python recipes/model_zoo.py

Parameters, multiply-adds and memory are counted, nothing is trained: for each network
at its own size, or for all at one (`--input-shape 224 224 3`). Runs of other recipes
(`--runs`), or a table of results (`--results`), add pictures of accuracy and size.
"""

import json
from pathlib import Path

import kerasdl as kd

NAME = "model_zoo"
MEASURED = ["network", "dataset", "test_accuracy", "parameters"]


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add(
        "--input-shape",
        type=kd.workbench.positive_int,
        nargs=3,
        metavar=("HEIGHT", "WIDTH", "CHANNELS"),
        help="of all; default: each network's own",
    )
    add("--networks", nargs="+", metavar="NAME", help="default: all")
    add(
        "--runs",
        nargs="+",
        default=[],
        type=Path,
        metavar="DIR",
        help="finished runs, whose accuracy is drawn",
    )
    add(
        "--results",
        type=Path,
        metavar="FILE",
        help=f"CSV of accuracies to draw, with the columns {', '.join(MEASURED)}",
    )
    add("--out", type=Path, metavar="DIR", help=kd.workbench.OUT_HELP)
    add("--overwrite", action="store_true", help="replace an existing --out")
    add("--verbose", action="store_true", help="show TensorFlow's start-up lines")
    args = parser.parse_args(argv)
    args.out = args.out or kd.runs.default_out("saved_models", NAME)
    return args


def main(argv=None):
    args = parse_args(argv)
    measured = read_measured(args)
    kd.runtime.start(verbose=args.verbose)
    with kd.runs.run_folder(
        args.out, kd.workbench.recorded(args), seed=0, overwrite=args.overwrite
    ) as run:
        shape = tuple(args.input_shape) if args.input_shape else None
        table = kd.models.summary_table(shape, args.networks)
        table.to_csv(run.path / "networks.csv", index=False)
        draw_costs(table, shape, run.path)
        print(f"\n{printed(table)}")
        if len(measured):
            measured.to_csv(run.path / "results.csv", index=False)
            draw_accuracies(measured, run.path)
            print(f"\n{kd.tables.as_texts(measured).to_string(index=False)}")
        run.record(networks=json.loads(table.to_json(orient="records")))
    print(f"\n{args.out}/ holds the table (networks.csv) and the pictures")


def read_measured(args):
    """The rows of `--runs` and of `--results` in one table; empty without them."""
    import pandas as pd

    tables = [read_results("runs", path) for path in args.runs]
    if args.results:
        tables.append(read_results("results", args.results))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def read_results(name, path):
    """The rows of a CSV file, or of the manifest of a finished run."""
    import pandas as pd

    file = path / kd.runs.MANIFEST if name == "runs" else path
    received = f"Received: {name}={str(path)!r}"
    if not file.is_file() or path.name.endswith(".partial"):
        kind = "finished runs" if name == "runs" else "an existing CSV file"
        raise ValueError(f"`{name}` must be {kind}. {received}")
    if name == "runs":
        rows = json.loads(file.read_text(encoding="utf-8"))["results"]
        table = pd.DataFrame(rows if isinstance(rows, list) else [])
    else:
        table = kd.tables.read_csv(name, file)
    missing = [column for column in MEASURED if column not in table]
    if missing:
        raise ValueError(
            f"`{name}` must have rows of {', '.join(MEASURED)}. {received} (without "
            f"{', '.join(missing)})"
        )
    return table[MEASURED].assign(source=path.stem)


def draw_costs(table, shape, folder):
    size = "x".join(map(str, shape)) if shape else "each at its own size"
    million = table[["parameters", "multiply_adds", "activation_bytes"]] / 1e6
    multiply_adds = f"multiply-adds of one image in millions ({size})"
    for name, column, label in (
        ("size_cost", "parameters", "parameters in millions"),
        ("memory_cost", "activation_bytes", "activations of one image in MB"),
    ):
        kd.plots.save_scatter(
            list(table["network"]),
            list(million["multiply_adds"]),
            list(million[column]),
            path=folder / f"{name}.png",
            xlabel=multiply_adds,
            ylabel=label,
            log="xy",
        )


def draw_accuracies(measured, folder):
    """A picture for each dataset; runs of one network tell themselves apart."""
    repeated = measured.duplicated(["network", "dataset"], keep=False)
    labels = measured["network"].where(
        ~repeated, measured["network"] + " (" + measured["source"] + ")"
    )
    for dataset, rows in measured.assign(label=labels).groupby("dataset"):
        kd.plots.save_scatter(
            list(rows["label"]),
            list(rows["parameters"] / 1e6),
            list(rows["test_accuracy"]),
            path=folder / f"accuracy_{dataset}.png",
            xlabel="parameters in millions",
            ylabel=f"test accuracy on {dataset}",
            log="x",
        )


def printed(table):
    """The table as text, in units that a reader compares."""
    import pandas as pd

    shapes = ["x".join(map(str, shape)) for shape in table["input_shape"]]
    columns = {
        "network": table["network"],
        "year": table["year"],
        "input": shapes,
        "layers": table["layers"],
        "parameters M": table["parameters"] / 1e6,
        "mult-adds M": table["multiply_adds"] / 1e6,
        "activations MB": table["activation_bytes"] / 1e6,
        "file MB": table["file_bytes"] / 1e6,
    }
    return pd.DataFrame(columns).to_string(index=False, float_format="{:,.2f}".format)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
