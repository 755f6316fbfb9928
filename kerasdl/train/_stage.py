"""A finished training of `Stages`, in files that appear whole."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasdl import _atomic
from kerasdl._npz import damaged_file, read_npz
from kerasdl.models import load_model

from ._made_with import check_made_with

# What JSON of another kind makes its reader raise.
_OTHER_KINDS = (AttributeError, KeyError, TypeError, RecursionError)
_ADVICE = "Remove the training's files to train it anew, or restore them."


@dataclass(frozen=True)
class Stage:
    """What a training leaves.

    Attributes:
        name: of the training.
        model_path: a `.keras` file, pixels in [0, 255] to probabilities.
        history: a row for each epoch, as `resumable_fit` returns it.
        trained_parameters: number of parameters that trained.
        minutes: of training, prediction and activations; those that were cached
            or that a killed process made are not counted.
        predictions: outputs of the model by split, rows in the order of its files.
        activations: photos whose activations were "computed" or "reused".
        choices: what the training chose by photos held out, by name.
    """

    name: str
    model_path: Path
    history: pd.DataFrame
    trained_parameters: int
    minutes: float
    predictions: dict[str, np.ndarray]
    activations: dict[str, int]
    choices: dict[str, Any]

    def load_model(self) -> keras.Model:
        """The model as this training left it, not compiled."""
        return load_model(self.model_path)


def write_stage(
    folder: Path,
    name: str,
    model: keras.Model,
    predictions: Mapping[str, np.ndarray],
    facts: Mapping[str, Any],
    made_with: Mapping[str, Any],
) -> None:
    """Write the files of a training; the last of them makes it a finished one.

    Args:
        folder: of all trainings.
        name: of the training.
        model: as it was left.
        predictions: its outputs by split.
        facts: the other attributes of `Stage`.
        made_with: what it must be read back with.
    """
    plain = keras.Model(model.input, model.output, name=model.name)
    _atomic.write_by(folder / f"{name}.keras", plain.save)
    _atomic.write_by(folder / f"{name}.npz", lambda file: np.savez(file, **predictions))
    _atomic.write_json(folder / f"{name}.json", {**facts, "made_with": made_with})


def read_stage(folder: Path, name: str, made_with: Mapping[str, Any]) -> Stage:
    """Read a training that `write_stage` wrote.

    Raises:
        ValueError: a file is damaged, or it was made with something else.
    """
    path = folder / f"{name}.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        recorded = facts.pop("made_with")
        check_made_with(recorded, made_with, "folder", str(folder))
        history = pd.DataFrame(facts.pop("history"))
        stage = Stage(
            name,
            folder / f"{name}.keras",
            history,
            predictions=read_npz(folder / f"{name}.npz", advice=_ADVICE),
            **facts,
        )
    except (json.JSONDecodeError, UnicodeDecodeError, *_OTHER_KINDS) as error:
        raise damaged_file(path, str(error), _ADVICE) from error
    return stage
