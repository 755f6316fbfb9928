"""A network for any table: raw columns in, the answer in its own unit out.

    python recipes/table_train.py --data FILE.csv --target COLUMN

Text, and whole numbers of few different values, become embeddings; other numbers are
scaled, holes filled and marked. The guess is printed; --categorical and --continuous
overrule it for the columns that they name. Of a --date year, month, day and so on are
taken; predict.py makes them of the date as well. Without --data it trains on
scikit-learn's diabetes (442 people, a number), or with --dataset breast_cancer (569,
two classes), in less than a minute. The run holds report.html with the scores of
scikit-learn's boosted trees on the same rows.
"""

import _tables

import kerasdl as kd

NAME = "table"
NETWORKS = ("entity_embeddings", "linear", "mlp", "tabular_resnet")
DATASETS = ("diabetes", "breast_cancer")


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("--data", metavar="FILE", help=".csv, .csv.gz or .parquet; default: --dataset")
    add("--dataset", choices=DATASETS, default=DATASETS[0], help="without --data")
    add("--target", metavar="COLUMN", help="that is predicted; needed with --data")
    add("--categorical", nargs="*", metavar="COLUMN", help="default: guessed")
    add("--continuous", nargs="*", metavar="COLUMN", help="both: no others are taken")
    add("--date", nargs="*", default=[], metavar="COLUMN", help="written 2015-06-14")
    parser.add_int("--min-count", 1, "rows of a known category; default: %(default)s")
    add("--task", choices=("regression", "classification"), help="default: guessed")
    add(
        "--scale",
        choices=("standard", "log", "none"),
        help="of a number; default: guessed",
    )
    parser.add_share("--valid", 0.2, "of the rows; default: %(default)s")
    add("--valid-after", nargs=2, metavar=("COLUMN", "VALUE"), help="such as a date")
    add("--valid-group", metavar="COLUMN", help="whose equal values stay together")
    add("--network", choices=NETWORKS, default="mlp", help="of kerasdl.tabular")
    add("--layers", type=int, nargs="+", default=[100], metavar="N", help="but resnet")
    parser.add_share("--dropout", 0.1, "default: %(default)s")
    _tables.add_training_arguments(parser, epochs=60, rate=3e-3, batch_size=32)
    quick = f"{_tables.QUICK_ROWS} rows, of each class its share, and one epoch"
    args = parser.parse_run(argv, NAME, quick)
    if (args.data is None) != (args.target is None):
        parser.error("--data and --target must be given together, or neither")
    return args


def main(argv=None):
    args = parse_args(argv)
    frame, target = read(args)
    kd.tabular.target.check_target(frame, target)
    with kd.workbench.training_run(args, _tables.PREDICT) as run:
        if args.quick:
            frame = _tables.quick_part(frame, target, run.seed)
        data = kd.tabular.TableData.from_frame(
            frame,
            target,
            args.categorical,
            args.continuous,
            valid=args.valid,
            batch_size=args.batch_size,
            valid_after=tuple(args.valid_after) if args.valid_after else None,
            valid_group=args.valid_group,
            task=args.task,
            scale=args.scale,
            min_count=args.min_count,
            dates=args.date,
            seed=run.seed,
        )
        model = build(data, args, run.seed)
        history = _tables.fit(model, data, args, run)
        print(kd.train.history_table(history))
        names = kd.tabular.PEERS[:2]
        title = f"A network for {target}"
        _tables.finish(run, model, data, history, title, names=names)


def read(args):
    """The table and the name of its target."""
    if args.data is None:
        from sklearn import datasets

        found = getattr(datasets, f"load_{args.dataset}")(as_frame=True)
        frame = found.frame
        if args.dataset == "breast_cancer":
            frame["target"] = found.target_names[frame["target"]]
        return frame, "target"
    if args.data.endswith(".parquet"):
        return kd.tables.read_parquet("data", args.data), args.target
    return kd.tables.read_csv("data", args.data), args.target


def build(data, args, seed):
    make = getattr(kd.tabular, args.network)
    if args.network == "linear":
        return make(data, seed=seed)
    if args.network == "tabular_resnet":
        return make(data, dropout=args.dropout, seed=seed)
    return make(data, args.layers, args.dropout, seed=seed)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
