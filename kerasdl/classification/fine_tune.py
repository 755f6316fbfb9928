"""A pretrained network made one of your photos, in one call."""

from pathlib import Path

import keras

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._notebook import is_console
from kerasdl._seeds import resolve_seed
from kerasdl.callbacks import OneCycle
from kerasdl.data import ImageData
from kerasdl.models import backbones

from .learner import Learner

_HEAD_EPOCHS = 4  # of a head on cached activations, which take a moment each


def fine_tune(
    model: keras.Model | str,
    data: ImageData,
    epochs: int = 3,
    learning_rate: float = 1e-2,
    folder: str | Path | None = None,
    *,
    resume: bool = False,
    verbose: int = 1,
    seed: int | None = None,
) -> Learner:
    """Train the head of a network, then all of it, by one cycle each.

    The head trains on the frozen trunk, which runs once where `model` is a name. Then
    all layers train: the first ones at a hundredth of the rate of the last, geometric
    between, BatchNorm's statistics held still.

    Ctrl-C, or a notebook's stop button, returns the Learner as the last batch left it,
    where lines are typed one by one; in a script it ends that. With a `folder`, the
    same call with `resume=True` goes on from the last whole epoch, after a kill too.

    Args:
        model: a name of `models.BACKBONES`, whose ImageNet weights are taken; or a
            network whose last part is a head for the data's classes.
        data: the photos.
        epochs: of all layers.
        learning_rate: of the head, and half of it of the last layers then.
        folder: keeps the state of both trainings, as in `Learner`.
        resume: read back what an earlier call did, from `folder`; the rest is trained.
        verbose: as in `Learner.fit`.
        seed: of the head of a trunk that is named; None draws one and prints it.

    Returns:
        The trained Learner, or the interrupted one, which goes on with `fit`, `report`,
        `export` and `serve`.

    Raises:
        ValueError: an argument is none of these, or the network does not fit the data;
            `folder` holds the state of an earlier call, and not `resume`.

    Reference:
        fastai, `Learner.fine_tune`

    Example:
        ```
        learn = kd.fine_tune("efficientnet_lite0", data, epochs=3)
        ```
    """
    check_positive_int("epochs", epochs)
    check_one_of("verbose", verbose, (0, 1))
    if resume and folder is None:
        raise ValueError("`resume` needs a `folder`. Received: folder=None")
    how = {"resume": resume, "verbose": verbose}
    is_named = isinstance(model, str)
    if is_named:
        check_one_of("model", model, backbones.BACKBONES)
        seed = resolve_seed(seed)
        learn = Learner.pretrained(model, data, folder=folder, seed=seed)
    else:
        learn = Learner.from_model(model, data, folder=folder)
        learn.freeze()
    try:
        if is_named:
            learn._precompute = True  # no word on augmentation: it is yet to come
            learn.fit(learning_rate, cycle_len=_HEAD_EPOCHS, **how)
            learn.precompute = False
        else:
            learn.fit(learning_rate, callbacks=[OneCycle()], **how)
        learn.unfreeze()
        rates = slice(learning_rate / 200, learning_rate / 2)
        learn.fit(rates, cycle_len=epochs, callbacks=[OneCycle()], **how)
    except KeyboardInterrupt:
        if not is_console():
            raise  # what follows in a script is for a network that is trained
        learn.precompute = False  # what is typed next may train the trunk
        print("fine_tune: the Learner is returned as it stands")
    return learn
