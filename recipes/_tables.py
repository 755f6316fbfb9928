"""What the recipes of tables share: a network trained by one cosine, and its files."""

import numpy as np
import pandas as pd

import kerasdl as kd

PREDICT = """{out}/ holds the model and report.html; of a table with the same columns:
  python recipes/predict.py {out} ROWS.csv --csv answers.csv"""
QUICK_ROWS = 2000


def quick_part(frame, target, seed):
    """Some of the rows in their order, drawn; of a target of few values, of each."""
    if len(frame) <= QUICK_ROWS:
        return frame
    values = pd.factorize(frame[target])[0]
    counts = np.bincount(values + 1)
    if (counts > 0).sum() <= 20 and counts[counts > 0].min() > 1:
        share = QUICK_ROWS / len(frame)
        return frame.iloc[kd.batches.stratified_split(values, share, seed=seed)[1]]
    drawn = np.random.default_rng(seed).permutation(len(frame))[:QUICK_ROWS]
    return frame.iloc[np.sort(drawn)]


def add_training_arguments(parser, epochs, rate, batch_size, decay=0.0):
    parser.add_int("--epochs", epochs, "of one cosine cycle; default: %(default)s")
    parser.add_float("--learning-rate", rate, "default: %(default)s")
    sweep = "take the valley of a sweep of the rate instead"
    parser.add_argument("--lr-find", action="store_true", help=sweep)
    parser.add_int("--batch-size", batch_size, "default: %(default)s")
    parser.add_share("--weight-decay", decay, "of kernels; default: %(default)s")


def fit(model, data, args, run, name="fit", *, loss=None):
    """Train by AdamW and one cosine; what an earlier process did is read back.

    The rate rises over half an epoch: steps of the full rate from the start spoil
    embeddings, which begin large.
    """
    learn = kd.tabular.Learner(
        model,
        data,
        run.path / kd.workbench.STATE / name,
        optimizer=kd.workbench.adamw(args.learning_rate, args.weight_decay),
        loss=loss,
    )
    epochs = 1 if args.quick else args.epochs
    half_epoch = data.stream.num_batches // 2
    return learn.fit(
        None if args.lr_find else args.learning_rate,
        cycle_len=epochs,
        callbacks=[kd.callbacks.CosineRestarts(epochs, warm_up_steps=half_epoch)],
        resume=True,
    )


def all_peers():
    """Names of `kd.tabular.PEERS`, without those that are not installed."""
    names = kd.tabular.installed_peers()
    if len(names) < len(kd.tabular.PEERS):
        print("LightGBM is not installed; the extra `bench` has it")
    return names


def finish(run, model, data, history, title, *, names=(), answers=None, time=None):
    """Score, compare with peers, and write the files of the run.

    Args:
        run: at work.
        model: that is kept.
        data: the table.
        history: of its training.
        title: of report and card.
        names: of `kd.tabular.PEERS` that are trained too.
        answers: of further ways to the validation rows, by name.
        time: a column over which errors are drawn.
    """
    own = kd.tabular.scores(model, data)
    table = pd.DataFrame.from_dict({"this network": own}, orient="index")
    if names:
        peers = kd.tabular.peer_scores(data, names, model, seed=run.seed)
        table = pd.concat([table, peers])
    for name, found in (answers or {}).items():
        rows = data.rows("valid")
        table.loc[name] = kd.tabular.answer_scores(data.target, rows, found)
    print(f"\n{table.to_string(float_format='{:.4f}'.format)}")
    run.record(**own, peers=table.iloc[1:].to_dict("index"))
    peers = table if len(table) > 1 else None
    return kd.tabular.write_run_files(
        run, model, data, history, title, peers=peers, time=time
    )
