"""What recipes that train on images in memory share; heavy imports come late."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import RecipeParser
from .remember import remember
from .run_files import model_card, write_run_files
from .training_run import STATE

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from kerasdl.callbacks import RateSchedule
    from kerasdl.data import ImageData
    from kerasdl.runs import Run

SETTLED_STEPS = 1000  # after which moving means have forgotten their start
QUICK_IMAGES = 200  # of each split, with --quick
QUICK_OF_CLASS = 2  # ... or so many of a class: for training and for validation


def add_array_arguments(
    parser: RecipeParser,
    files: str,
    epochs: int | None = None,
    batch_size: int | None = None,
) -> None:
    """Add --data, which is a folder of `files`, --epochs and --batch-size.

    Args:
        parser: of the recipe.
        files: that --data holds.
        epochs: default of --epochs; None leaves it to the recipe.
        batch_size: default of --batch-size; None leaves it to the recipe.
    """
    parser.add_argument(
        "--data",
        metavar="DIR",
        help=f"folder of {files}; default: Keras's cache, or its download",
    )
    parser.add_int("--epochs", epochs, "default: the recipe's own")
    parser.add_int("--batch-size", batch_size, "default: the recipe's own")


def max_images(directory: str | None, quick: bool) -> int | None:
    """Images of each split that --quick takes; None takes all.

    Args:
        directory: of the images, by --data.
        quick: whether --quick is given.
    """
    if not quick:
        return None
    from kerasdl.data import split_folders

    classes = 0  # unless they are folders
    if directory is not None and "train" in (splits := split_folders(directory)):
        folder = Path(directory) / splits["train"]
        classes = sum(path.is_dir() for path in folder.iterdir())
    return max(QUICK_IMAGES, QUICK_OF_CLASS * classes)


def remember_images(
    run: "Run",
    data: "ImageData",
    dataset: str,
    valid_fraction: float | None = None,
    max_images: int | None = None,
) -> None:
    """Write down what `run` works on; a resumed run must find the same.

    Args:
        run: at work.
        data: the images.
        dataset: name of the function of `kerasdl.data` that read them.
        valid_fraction: that it was given.
        max_images: that it was given.

    Raises:
        ValueError: it finds other images or labels.
    """
    found = {
        "dataset": dataset,
        "valid_fraction": valid_fraction,
        "max_images": max_images,
        "fingerprint": fingerprint(data),
    }
    remember(run, data, found, ["fingerprint"])


def fingerprint(data: "ImageData") -> str:
    """A digest of the labels and pixels of all splits."""
    import numpy as np

    digest = hashlib.sha256()
    for split in data.splits:
        digest.update(data.labels(split).tobytes())
        for picture in data.pictures(split):
            digest.update(np.asarray(picture, "uint8").tobytes())
    return digest.hexdigest()


def fit_arrays(
    model: "keras.Model",
    data: "ImageData",
    epochs: int,
    schedule: "RateSchedule",
    folder: Path,
    callbacks: "Sequence[keras.callbacks.Callback]" = (),
) -> "pd.DataFrame":
    """Train a compiled model; go on where a killed process was.

    Args:
        model: compiled with the highest learning rate.
        data: the images.
        epochs: number of epochs.
        schedule: of the learning rate.
        folder: keeps the state, in its folder `state`.
        callbacks: further callbacks.

    Returns:
        A row for each epoch, as of `train.resumable_fit`; `attrs["learning_rates"]` has
        the rate of each batch.
    """
    from kerasdl import train
    from kerasdl.callbacks import ExamplesPerSecond, StopOnBadLoss

    state = folder / STATE
    state.mkdir(exist_ok=True)
    speed = ExamplesPerSecond(len(data.files("train")))
    history = train.resumable_fit(
        model,
        data.train,
        epochs,
        state / "fit.npz",
        validation_data=data.valid,
        callbacks=[StopOnBadLoss(data), speed, *callbacks, schedule],
        start_epoch=data.start_epoch,
        made_with=data.facts(),
    )
    history.attrs["learning_rates"] = list(schedule.rates)
    print(f"\n{train.history_table(history)}")
    return history


def settle_batch_norm(
    model: "keras.Model", data: "ImageData", history: "pd.DataFrame"
) -> None:
    """Give BatchNorm the statistics of the training images after a short training.

    Its moving means follow the weights with a lag of some hundred steps. Frozen ones
    stay as they are.

    Args:
        model: the trained network.
        data: the images it trained on.
        history: as `fit_arrays` returned it.
    """
    from kerasdl import models

    is_short = len(history.attrs["learning_rates"]) < SETTLED_STEPS
    if is_short and models.moving_batch_norms(model):
        models.recompute_batch_norm(model, data.train)


def write_network(
    run: "Run", model: "keras.Model", data: "ImageData", history: "pd.DataFrame"
) -> dict[str, Any]:
    """Write the files of a trained network, and print what the lessons print.

    `train_accuracy` is that of the last epoch as it went by, as in the lessons. After a
    short training BatchNorm's statistics are settled first.

    Args:
        run: at work; it remembers `data`.
        model: the network; its name is that of the row.
        data: the images it trained on.
        history: as `fit_arrays` returned it.

    Returns:
        A row of the run's table.
    """
    from kerasdl import train

    with train.on_one_device(model) as model:
        settle_batch_norm(model, data, history)
        return _write(run, model, data, history)


def _write(
    run: "Run", model: "keras.Model", data: "ImageData", history: "pd.DataFrame"
) -> dict[str, Any]:
    from kerasdl import classification, plots

    dataset = run.manifest["data"]["dataset"]
    title = f"{model.name} on {dataset}"
    report = classification.ClassificationReport.from_model(model, data, "test")
    accuracy = report.summary["accuracy"]
    plots.save_learning_rate(history.attrs["learning_rates"], run.path / "rates.png")
    write_run_files(
        run,
        model=model,
        history=history.assign(stage=model.name),
        report=report,
        title=title,
        card=model_card(run, data, model, {"test": accuracy}, title),
        mistakes=False,
    )

    last = history.iloc[-1]
    speed = len(history) / (1 / history["examples_per_second"]).sum()
    print(
        f"\n{title}: loss {last['loss']:.3f}, train acc {last['accuracy']:.3f}, "
        f"test acc {accuracy:.3f}\n{speed:.1f} examples/sec"
    )
    return {
        "network": model.name,
        "dataset": dataset,
        "epochs": len(history),
        "minutes": round(history["seconds"].sum() / 60, 2),
        "train_accuracy": float(last["accuracy"]),
        "test_accuracy": accuracy,
        "parameters": model.count_params(),
        "examples_per_second": round(float(speed), 1),
    }
