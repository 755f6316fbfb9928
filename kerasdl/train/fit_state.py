"""Where the state of each `fit` of a script is kept."""

from pathlib import Path

from kerasdl._checks import make_writable_folder


def fit_state(folder: Path | None, number: int, resume: bool) -> Path | None:
    """The file in `folder`, which is made, for the state of `fit` number `number`.

    Raises:
        ValueError: the file exists, but `resume` is False; or there is no folder to
            resume from, or one that cannot be written to.
    """
    if folder is None and resume:
        raise ValueError("`resume` needs a Learner with a `folder`. Received: None")
    if folder is None:
        return None
    make_writable_folder("folder", folder)
    state = folder / f"fit-{number}.npz"
    if state.exists() and not resume:
        raise ValueError(
            "`folder` must not hold the state of this fit. Received: "
            f"folder={str(folder)!r} ({state.name} exists). Continue it with "
            "resume=True, or remove the folder to start anew."
        )
    return state
