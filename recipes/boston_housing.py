"""Boston housing: the course's regression, its faults, and what holds up.

    python recipes/boston_housing.py --data data/boston/housing.data

FILE is UCI's housing.data, 506 rows of 14 numbers. First the course's script as it is:
rows 0-495 train, the last ten test (one town), nothing scaled or shuffled. Then RMSE
and MAE in $1000 over shuffled folds: the mean, linear models, trees, the course's
network on raw and on scaled inputs, and the mean of five networks of two layers on the
logarithm; and that one by leave-one-out on some rows. Without --data it does the same
with scikit-learn's diabetes.

Column B is about race, which is why scikit-learn removed the set; 16 targets are capped
at 50. The set is here to repeat the course, not to price a house.
"""

import _boston
import _tables

import kerasdl as kd

NAME = "boston_housing"


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    parser.add_argument("--data", metavar="FILE", help="housing.data")
    parser.add_int("--folds", 5, "default: %(default)s")
    parser.add_int("--shuffles", 3, "of the folds; default: %(default)s")
    parser.add_int("--leave-out", 10, "rows of leave-one-out; default: %(default)s")
    parser.add_int("--iterations", 10_000, "of the course's script")
    parser.add_int("--networks", 5, "whose mean is ours; default: %(default)s")
    parser.add_int("--epochs", 150, "of each network; default: %(default)s")
    return parser.parse_run(argv, NAME, "two folds, and a few epochs of each way")


def main(argv=None):
    args = parse_args(argv)
    frame, target = _boston.read(args.data)
    with kd.workbench.training_run(args, _tables.PREDICT) as run:
        if args.quick:
            args.folds, args.shuffles, args.leave_out = 2, 1, 1
            args.iterations, args.networks, args.epochs = 100, 2, 3
        _boston.lesson(frame, target, args.iterations, run)
        table = folds(frame, target, args, run)
        print(f"\n{table.to_string(float_format='{:.3f}'.format)}")
        table.to_csv(run.path / "folds.csv")
        run.record(folds=table.to_dict("index"))
        leave_one_out(frame, target, args, run)
        data = kd.tabular.TableData.from_frame(
            frame,
            target,
            [],
            _boston.columns_of(frame, target),
            scale="log",
            seed=run.seed,
        )
        model, history = _boston.ours(data, args, run.seed)
        _tables.finish(
            run, model, data, history, "Boston housing", names=kd.tabular.PEERS[:2]
        )


def folds(frame, target, args, run):
    """RMSE and MAE of each way: the mean and spread over all folds."""
    import pandas as pd

    rows = []
    for shuffle in range(args.shuffles):
        seed = run.seed + shuffle
        base = kd.tabular.TableData.from_frame(
            frame,
            target,
            [],
            _boston.columns_of(frame, target),
            task="regression",
            seed=seed,
        )
        for fold, data in enumerate(base.folds(args.folds)):
            for name, answer in _boston.ways(args).items():
                truth = data.rows("valid")[target]
                found = answer(data, seed)
                rows.append(
                    {
                        "way": name,
                        "rmse": kd.tabular.rmse(truth, found),
                        "mae": kd.tabular.mae(truth, found),
                    }
                )
            print(f"shuffle {shuffle + 1}, fold {fold + 1}", flush=True)
    table = pd.DataFrame(rows).groupby("way", sort=False)
    spread = table["rmse"].std().rename("rmse_spread")
    return pd.concat([table.mean(), spread], axis=1).sort_values("rmse")


def leave_one_out(frame, target, args, run):
    """Train without one row and answer it, for some rows."""
    import numpy as np

    rows = np.random.default_rng(run.seed).permutation(len(frame))[: args.leave_out]
    truth, found = frame[target].iloc[rows].to_numpy(), []
    for row in rows:
        data = kd.tabular.TableData.from_frame(
            frame,
            target,
            [],
            _boston.columns_of(frame, target),
            valid=[row],
            scale="log",
            seed=run.seed,
        )
        model, _ = _boston.ours(data, args, run.seed)
        found.append(kd.tabular.predict(model, data, data.rows("valid"))[0])
    error = kd.tabular.mae(truth, found)
    print(f"\nleave-one-out on {len(rows)} rows: MAE {error:.2f}")
    run.record(leave_one_out_mae=error)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
