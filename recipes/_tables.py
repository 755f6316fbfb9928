"""What the recipes of tables share: a network trained by one cosine, and its files."""

import pandas as pd

import kerasdl as kd

PREDICT = """{out}/ holds the model and report.html; of a table with the same columns:
  python recipes/predict.py {out} ROWS.csv --csv answers.csv"""
QUICK_ROWS = 2000


def add_training_arguments(parser, epochs, rate, batch_size, decay=0.0):
    parser.add_int("--epochs", epochs, "of one cosine cycle; default: %(default)s")
    parser.add_float("--learning-rate", rate, "default: %(default)s")
    parser.add_int("--batch-size", batch_size, "default: %(default)s")
    parser.add_argument("--weight-decay", type=float, default=decay, metavar="D")
    mean = "momentum of a mean of the weights over the steps, which is kept; 0: none"
    parser.add_share("--ema", 0.0, f"{mean}; default: %(default)s")


def fit(model, data, args, run, name="fit"):
    """Train by AdamW and one cosine; what an earlier process did is read back."""
    import keras

    learn = kd.tabular.Learner(
        model,
        data,
        run.path / kd.workbench.STATE / name,
        optimizer=kd.workbench.adamw(args.learning_rate, args.weight_decay, args.ema),
    )
    return learn.fit(
        args.learning_rate,
        cycle_len=1 if args.quick else args.epochs,
        callbacks=[keras.callbacks.SwapEMAWeights()] if args.ema else [],
        resume=True,
    )


def finish(run, model, data, history, title, *, names=(), time=None):
    """Score, compare with peers, and write the files of the run.

    Args:
        run: at work.
        model: that is kept.
        data: the table.
        history: of its training.
        title: of report and card.
        names: of `kd.tabular.PEERS` that are trained too.
        time: a column over which errors are drawn.
    """
    own = kd.tabular.scores(model, data)
    table = pd.DataFrame.from_dict({"this network": own}, orient="index")
    if names:
        table = pd.concat([table, kd.tabular.peer_scores(data, names, seed=run.seed)])
    print(f"\n{table.to_string(float_format='{:.4f}'.format)}")
    run.record(**own, peers=table.iloc[1:].to_dict("index"))
    return kd.tabular.write_run_files(
        run, model, data, history, title, peers=table if names else None, time=time
    )
