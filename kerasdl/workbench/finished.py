"""What a step that has ended leaves in a run's state, in files that appear whole."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdl import _atomic
from kerasdl._recorded import check_made_with

if TYPE_CHECKING:
    import keras
    import numpy as np

# What JSON of another kind makes its reader raise.
_OTHER_KINDS = (AttributeError, KeyError, TypeError, RecursionError)
_ADVICE = "Remove the step's files to do it anew, or restore them."


def write_outcome(
    folder: Path,
    name: str,
    model: "keras.Model",
    predictions: "Mapping[str, np.ndarray]",
) -> None:
    """Write a model as it stands, not compiled, and what it answers, by split."""
    import keras
    import numpy as np

    plain = keras.Model(model.input, model.output, name=model.name)
    _atomic.write_by(folder / f"{name}.keras", plain.save)
    _atomic.write_by(
        folder / f"{name}.npz",
        lambda file: np.savez(file, allow_pickle=False, **predictions),
    )


def read_predictions(folder: Path, name: str) -> "dict[str, np.ndarray]":
    """Read the answers that `write_outcome` wrote.

    Raises:
        ValueError: the file is damaged.
    """
    from kerasdl._npz import read_npz

    return read_npz(folder / f"{name}.npz", advice=_ADVICE)


def write_facts(
    path: Path, facts: Mapping[str, Any], made_with: Mapping[str, Any]
) -> None:
    """Write what is known of a step, which this makes a finished one.

    Args:
        path: a `.json` file.
        facts: as JSON can hold them, its `row` of a table among them.
        made_with: what it must be read back with, as JSON can hold it.
    """
    names = sorted(facts)
    _atomic.write_json(path, {**facts, "names": names, "made_with": made_with})


def read_facts(path: Path, made_with: Mapping[str, Any]) -> dict[str, Any]:
    """Read what `write_facts` wrote.

    Raises:
        ValueError: the file is damaged, or was made with something else.
    """
    from kerasdl._npz import damaged_file

    made_with = json.loads(json.dumps(made_with))  # of tuples it makes lists
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        recorded = facts.pop("made_with")
        check_made_with(recorded, made_with, "folder", str(path.parent))
        if lost := set(facts.pop("names")) - set(facts):
            raise KeyError(f"without {', '.join(sorted(lost))}")
        facts["row"].items()
    except (json.JSONDecodeError, UnicodeDecodeError, *_OTHER_KINDS) as error:
        raise damaged_file(path, str(error), _ADVICE) from error
    return facts
