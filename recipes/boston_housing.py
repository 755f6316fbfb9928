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

from pathlib import Path

import _tables

import kerasdl as kd

NAME = "boston_housing"
COLUMNS = (
    *("CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE", "DIS", "RAD", "TAX"),
    *("PTRATIO", "B", "LSTAT"),
)
TARGET = "MEDV"
LESSON_TEST = 10  # rows, the last ones
SPLITS = ("train", "valid")


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    parser.add_argument("--data", metavar="FILE", help="housing.data")
    parser.add_int("--folds", 5, "default: %(default)s")
    parser.add_int("--shuffles", 3, "of the folds; default: %(default)s")
    parser.add_int("--leave-out", 10, "rows of leave-one-out; default: %(default)s")
    parser.add_int("--iterations", 10_000, "of the course's script")
    parser.add_int("--networks", 5, "whose mean is ours; default: %(default)s")
    parser.add_int("--epochs", 150, "of each network; default: %(default)s")
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    frame, target = read(args.data)
    with kd.workbench.training_run(args, _tables.PREDICT) as run:
        if args.quick:
            args.folds, args.shuffles, args.leave_out = 2, 1, 1
            args.iterations, args.networks, args.epochs = 100, 2, 3
        lesson(frame, target, args.iterations, run)
        table = folds(frame, target, args, run)
        print(f"\n{table.to_string(float_format='{:.3f}'.format)}")
        table.to_csv(run.path / "folds.csv")
        run.record(folds=table.to_dict("index"))
        leave_one_out(frame, target, args, run)
        data = kd.tabular.TableData.from_frame(
            frame, target, [], columns_of(frame, target), scale="log", seed=run.seed
        )
        model, history = ours(data, args, run.seed)
        _tables.finish(
            *(run, model, data, history, "Boston housing"), kd.tabular.PEERS[:2]
        )


def read(path):
    """The table and the name of its target."""
    import pandas as pd

    if path is None:
        from sklearn.datasets import load_diabetes

        return load_diabetes(as_frame=True).frame, "target"
    if not Path(path).is_file():
        raise ValueError(f"`data` must be an existing file. Received: data={path!r}")
    try:
        frame = pd.read_csv(path, sep=r"\s+", header=None).astype("float64")
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(
            f"`data` must be rows of numbers. Received: data={path!r} ({error})"
        ) from error
    if frame.shape[1] != len(COLUMNS) + 1:
        raise ValueError(
            f"`data` must have {len(COLUMNS) + 1} numbers a row. Received: "
            f"data={path!r}, with {frame.shape[1]}"
        )
    return frame.set_axis([*COLUMNS, TARGET], axis=1), TARGET


def columns_of(frame, target):
    return [name for name in frame if name != target]


def lesson(frame, target, iterations, run):
    """The course's script: raw inputs, all rows in each step, ten rows as the test."""
    import keras
    import numpy as np
    import tensorflow as tf

    x = frame[columns_of(frame, target)].to_numpy("float32")
    y = frame[[target]].to_numpy("float32")
    train, test = slice(None, -LESSON_TEST), slice(-LESSON_TEST, None)
    print("the course's script:")
    print(frame.shape, x[train].shape, y[train][:, 0].shape, end=" ")
    print(x[test].shape, y[test][:, 0].shape)
    model = keras.Sequential(
        [keras.Input((x.shape[1],)), *map(keras.layers.Dense, (100, 1))]
    )
    model.layers[0].activation = keras.activations.relu
    optimizer = keras.optimizers.Adam(0.001)
    optimizer.build(model.trainable_variables)

    @tf.function
    def steps(count):
        loss = 0.0
        for _ in tf.range(count):
            with tf.GradientTape() as tape:
                found = model(x[train], training=True)
                loss = 0.001 * tf.reduce_mean((found - y[train]) ** 2)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
        return loss

    every = max(iterations // 10, 1)
    for done in range(every, iterations + 1, every):
        loss = float(steps(tf.constant(every)))
        error = 0.001 * float(np.mean((model(x[test]).numpy() - y[test]) ** 2))
        print(f"ite:{done},loss_train:{loss:.6f} loss_test:{error:.6f}")
    rmse = {
        name: float(np.sqrt(np.mean((model(x[part]).numpy() - y[part]) ** 2)))
        for name, part in (("train", train), ("test", test))
    }
    print(
        f"RMSE {rmse['train']:.2f} on its {len(x) - LESSON_TEST} rows, "
        f"{rmse['test']:.2f} on the ten: too few, and one town, to tell anything"
    )
    run.record(lesson_rmse=rmse)


def folds(frame, target, args, run):
    """RMSE and MAE of each way: the mean and spread over all folds."""
    import pandas as pd

    rows = []
    for shuffle in range(args.shuffles):
        seed = run.seed + shuffle
        base = kd.tabular.TableData.from_frame(
            frame, target, [], columns_of(frame, target), task="regression", seed=seed
        )
        for fold, data in enumerate(base.folds(args.folds)):
            for name, answer in ways(args).items():
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


def ways(args):
    """Functions from data and seed to answers to its validation rows."""

    def by_sklearn(make, raw=False):
        def answer(data, seed):
            inputs = {split: data.arrays(split)[0]["numbers"] for split in SPLITS}
            if raw:
                names = [column.name for column in data.columns.numbers]
                inputs = {split: data.rows(split)[names] for split in SPLITS}
            model = make(seed).fit(inputs["train"], data.arrays("train")[1].ravel())
            return data.target.decode(model.predict(inputs["valid"])[:, None])

        return answer

    def boosted(data, seed):
        return kd.tabular.peer_answers(data, "HistGradientBoosting", seed=seed)

    def network(data, seed):
        model, _ = ours(on_log(data), args, seed)
        return kd.tabular.predict(model, on_log(data), data.rows("valid"))

    return {
        "mean": lambda data, seed: kd.tabular.peer_answers(data, "mean"),
        "linear": by_sklearn(lambda seed: _linear()),
        "ridge on squares": by_sklearn(lambda seed: _squares()),
        "boosted trees": boosted,
        "extra trees": by_sklearn(_extra_trees, raw=True),
        "course's network, raw": lambda data, seed: course(data, args, seed, raw=True),
        "course's network, scaled": lambda data, seed: course(data, args, seed),
        "mean of networks, log": network,
    }


def _linear():
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


def _squares():
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    return make_pipeline(PolynomialFeatures(2), StandardScaler(), Ridge(10.0))


def _extra_trees(seed):
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(300, random_state=seed)


def course(data, args, seed, raw=False):
    """The course's 13-100-1, trained in batches as long as ours."""
    inputs, truth = data.arrays("train")
    asked = data.arrays("valid")[0]["numbers"]
    inputs = inputs["numbers"]
    if raw:
        names = [column.name for column in data.columns.numbers]
        inputs, asked = (
            data.rows(split)[names].to_numpy("float32") for split in SPLITS
        )
        truth = data.rows("train")[[data.target.name]].to_numpy("float32")
    model = kd.tabular.mlp(data, seed=seed)
    fit(model, {"numbers": inputs}, truth, args.epochs, seed)
    found = model.predict({"numbers": asked}, 512, verbose=0)
    return found[:, 0] if raw else data.target.decode(found)


def on_log(data):
    """`data` with the logarithm of its target."""
    return kd.tabular.TableData(
        *(data.frame, data.columns),
        kd.tabular.Target.of(data.rows("train")[data.target.name], "regression", "log"),
        *(data.is_valid, data.batch_size, data.seed),
    )


def ours(data, args, seed):
    """The mean of some networks of two layers, as one model."""
    import keras
    import pandas as pd

    inputs, truth = data.arrays("train")
    networks, history = [], None
    for number in range(args.networks):
        model = kd.tabular.mlp(data, (128, 128), 0.1, seed=seed + number)
        model.name = f"network{number + 1}"
        history = fit(model, inputs, truth, args.epochs, seed + number)
        networks.append(model)
    given = {"numbers": keras.Input(model.inputs[0].shape[1:], name="numbers")}
    mean = keras.layers.Average(name="mean")([one(given) for one in networks])
    epochs = pd.DataFrame(history.history).assign(epoch=range(1, args.epochs + 1))
    return keras.Model(given, mean, name="mean_of_networks"), epochs


def fit(model, inputs, truth, epochs, seed):
    """AdamW and one cosine to 0; thousands of small steps, some to a call."""
    import keras

    keras.utils.set_random_seed(seed)
    steps = -(-len(truth) // 32)
    rate = keras.optimizers.schedules.CosineDecay(5e-3, epochs * steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-2)
    model.compile(optimizer=optimizer, loss="mse", steps_per_execution=steps)
    return model.fit(inputs, truth, batch_size=32, epochs=epochs, verbose=0)


def leave_one_out(frame, target, args, run):
    """Train without one row and answer it, for some rows."""
    import numpy as np

    rows = np.random.default_rng(run.seed).permutation(len(frame))[: args.leave_out]
    truth, found = frame[target].iloc[rows].to_numpy(), []
    for row in rows:
        data = kd.tabular.TableData.from_frame(
            *(frame, target, [], columns_of(frame, target), [row]),
            scale="log",
            seed=run.seed,
        )
        model, _ = ours(data, args, run.seed)
        found.append(kd.tabular.predict(model, data, data.rows("valid"))[0])
    error = kd.tabular.mae(truth, found)
    print(f"\nleave-one-out on {len(rows)} rows: MAE {error:.2f}")
    run.record(leave_one_out_mae=error)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
