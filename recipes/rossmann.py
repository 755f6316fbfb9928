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


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("--data", metavar="DIR", help="folder of the seven tables; needed")
    add(
        "--window",
        choices=[*_rossmann.WINDOWS],
        default="lesson",
        help="validation rows",
    )
    trend = "Google's: of the week to come, as the lesson has it, or of the last one"
    add("--trend", choices=[*_rossmann.TREND_DAYS], default="coming", help=trend)
    add("--sample", action="store_true", help="a tenth of the stores")
    trees = "trees on the same rows, too, also with the embeddings put into them"
    add("--peers", action="store_true", help=trees)
    parser.add_int("--networks", 1, "whose mean answers")
    units = "units of the dense layers"
    add("--layers", type=int, nargs="+", default=[1000, 500], metavar="N", help=units)
    parser.add_share("--dropout", 0.0, "of dense layers; default: %(default)s")
    parser.add_share("--embedding-dropout", 0.04, "default: %(default)s")
    _tables.add_training_arguments(
        parser, epochs=12, rate=5e-3, batch_size=512, decay=0.1
    )
    add("--cache", metavar="DIR", help="of the features; default: ~/.cache/kerasdl")
    quick = "a hundredth of the stores, and one epoch"
    args = parser.parse_run(argv, NAME, quick)
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
        table = _rossmann.features(files, args)
        data = _rossmann.read(table, args, run.seed)
        model, history = train(data, args, run)
        predictor = _tables.finish(
            run,
            model,
            data,
            history,
            "Rossmann's sales",
            names=_tables.all_peers() if args.peers else (),
            answers=_rossmann.means(data) if args.peers else None,
            time="Date",
        )
        _rossmann.write_answers(run.path, predictor, data, table)


def train(data, args, run):
    """One network, or several of which one model takes the mean."""
    import keras

    loss = kd.tabular.MeanSquaredRelativeError(data.target.spread)
    networks = []
    for number in range(args.networks):
        network = kd.tabular.entity_embeddings(
            data,
            args.layers,
            args.dropout,
            args.embedding_dropout,
            embedding_scale=0.5,
            seed=run.seed + number,
        )
        network.name = f"network{number + 1}"
        history = _tables.fit(network, data, args, run, network.name, loss=loss)
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
    mean = keras.layers.Average(dtype="float32", name="mean")(
        [one(inputs) for one in networks]
    )
    return keras.Model(inputs, mean, name="mean_of_networks"), history


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
