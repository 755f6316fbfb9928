"""Rossmann's sales: fast.ai's entity embeddings on the whole contest.

    python recipes/rossmann.py --data data/rossmann

DIR holds the contest's train, test and store, and the store_states, state_names,
googletrend and weather that fast.ai adds, each as .csv, .csv.gz or .parquet
(https://www.kaggle.com/competitions/rossmann-store-sales/data). Rows without sales are
left out. The validation rows are the lesson's, 1 August to 17 September 2014, which
have later rows on their other side; --window last holds the last six weeks out, as the
contest does. The measure is the contest's: the root of the mean squared error as a
share of the sales.

The run holds report.html, submission.csv of the test rows (Id, Sales; 0 where a store
is closed), their features (test_features.parquet), validation.csv and check_rows.json.
Reference: fast.ai, lesson 3; Guo & Berkhahn, https://arxiv.org/abs/1604.06737
"""

import _rossmann
import _tables

import kerasdl as kd

NAME = "rossmann"
WINDOWS = {"lesson": ("2014-08-01", "2014-09-17"), "last": ("2015-06-14", "2015-07-31")}


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("--data", metavar="DIR", help="folder of the seven tables")
    add("--window", choices=[*WINDOWS], default="lesson", help="validation rows")
    trend = "Google's: of the week to come, as the lesson has it, or of the last one"
    add("--trend", choices=[*_rossmann.TREND_DAYS], default="coming", help=trend)
    add("--sample", action="store_true", help="a tenth of the stores")
    add("--peers", action="store_true", help="trees on the same rows, too")
    parser.add_int("--networks", 1, "whose mean answers")
    add("--layers", type=int, nargs="+", default=[500, 250], metavar="N")
    add("--dropout", type=float, default=0.0, metavar="SHARE", help="of dense layers")
    add("--embedding-dropout", type=float, default=0.0, metavar="SHARE")
    _tables.add_training_arguments(parser, epochs=8, rate=2e-3, batch_size=512)
    add("--cache", metavar="DIR", help="of the features; default: ~/.cache/kerasdl")
    args = parser.parse_run(argv, NAME)
    if args.data is None:
        parser.error(
            f"--data DIR must hold {', '.join(_rossmann.TABLES)}, each as .csv, "
            f".csv.gz or .parquet, from {_rossmann.PAGE}"
        )
    return args


def main(argv=None):
    args = parse_args(argv)
    files = _rossmann.find_tables(args.data)
    with kd.workbench.training_run(args, _tables.PREDICT) as run:
        table = features(files, args)
        data = read(table, args, run.seed)
        model, history = train(data, args, run)
        predictor = _tables.finish(
            *(run, model, data, history, "Rossmann's sales"),
            names=_peers(args),
            time="Date",
        )
        write_answers(run.path, predictor, data, table)


def features(files, args):
    """The feature table of train and test, from the cache if it is there."""

    def make():
        return _rossmann.feature_table(_rossmann.read_tables(files), args.trend)

    source = open(_rossmann.__file__, encoding="utf-8").read()
    made_by = f"{source}{args.trend}"
    table = kd.tabular.features.cached_table(make, files.values(), args.cache, made_by)
    if args.sample or args.quick:
        table = table[table["Store"] % (100 if args.quick else 10) == 0]
    return table


def read(table, args, seed):
    """The rows with sales, of which those of the window are for validation."""
    rows = table[table["Sales"].fillna(0) > 0].reset_index(drop=True)
    return kd.tabular.TableData.from_frame(
        rows,
        "Sales",
        _rossmann.CATEGORICAL,
        _rossmann.CONTINUOUS,
        rows["Date"].between(*WINDOWS[args.window]),
        args.batch_size,
        scale="log",
        seed=seed,
    )


def train(data, args, run):
    """One network, or several of which one model takes the mean."""
    import keras

    networks = []
    for number in range(args.networks):
        network = kd.tabular.entity_embeddings(
            *(data, args.layers, args.dropout, args.embedding_dropout),
            embedding_scale=0.5,
            seed=run.seed + number,
        )
        network.name = f"network{number + 1}"
        history = _tables.fit(network, data, args, run, network.name)
        score = kd.tabular.scores(network, data)["exp_rmspe"]
        print(f"{network.name}: exp_rmspe {score:.4f}")
        run.record(**{network.name: score})
        networks.append(network)
    if len(networks) == 1:
        return network, history
    inputs = {
        tensor.name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)
        for tensor in network.inputs
    }
    mean = keras.layers.Average(name="mean")([one(inputs) for one in networks])
    return keras.Model(inputs, mean, name="mean_of_networks"), history


def write_answers(folder, predictor, data, table):
    """Answers to the validation rows, and the submission of the test rows."""
    valid = data.rows("valid")
    answers = predictor.predict(valid)
    answers = answers[["Store", "Date", "Sales", "prediction"]]
    answers.to_csv(folder / "validation.csv", index=False)
    test = table[table["Id"].notna()]
    test.to_parquet(folder / "test_features.parquet", index=False)
    sales = predictor.answer(test)[:, 0]
    sales = sales * (test["Open"] != 0).to_numpy()  # an unknown one counts as open
    submission = test[["Id"]].astype("int64").assign(Sales=sales).sort_values("Id")
    check_submission(submission, test)
    submission.to_csv(folder / "submission.csv", index=False)


def check_submission(submission, test):
    """Refuse what the contest would not count."""
    sales = submission["Sales"]
    if len(submission) != len(test) or submission["Id"].duplicated().any():
        raise ValueError(
            f"The submission must have one row for each of {len(test)} test rows. "
            f"Received: {len(submission)} rows of {submission['Id'].nunique()} ids"
        )
    if not (sales.between(0, float("inf"), inclusive="left")).all():
        raise ValueError("The submission must hold sales of at least 0")


def _peers(args):
    return kd.tabular.PEERS if args.peers else ()


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
