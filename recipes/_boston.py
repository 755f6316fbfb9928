"""The ways in which boston_housing.py answers, the course's script first."""

from pathlib import Path

import kerasdl as kd

COLUMNS = tuple("CRIM ZN INDUS CHAS NOX RM AGE DIS RAD TAX PTRATIO B LSTAT".split())
TARGET = "MEDV"
LESSON_TEST = 10  # rows, the last ones
SPLITS = ("train", "valid")


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
    # Infinity less itself is none either.
    wrong = (frame - frame).isna().any(axis=1)
    if wrong.any() or len(frame) <= 2 * LESSON_TEST:
        what = f"no number in row {wrong.argmax()}" if wrong.any() else f"{len(frame)}"
        raise ValueError(
            f"`data` must be more than {2 * LESSON_TEST} rows of finite numbers. "
            f"Received: data={path!r}, {what}"
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
        data.frame,
        data.columns,
        kd.tabular.Target.of(data.rows("train")[data.target.name], "regression", "log"),
        is_valid=data.is_valid,
        batch_size=data.batch_size,
        seed=data.seed,
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
    mean = keras.layers.Average(dtype="float32", name="mean")(
        [one(given) for one in networks]
    )
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
