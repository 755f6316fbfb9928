"""The variables of a model and of its optimizers, and what brings them back."""

from collections.abc import Mapping
from itertools import chain

import keras
import numpy as np

from kerasdl._keras_internals import built_for
from kerasdl._optimizer import names_optimizers, optimizers_of, plain


def all_variables(model: keras.Model) -> list[keras.Variable]:
    """Those of a compiled `model`, and of its optimizers as far as they are built."""
    of_optimizers = (one.variables for one in optimizers_of(model).values())
    return [*model.variables, *chain.from_iterable(of_optimizers)]


def built_places(model: keras.Model) -> dict[str, np.ndarray]:
    """Places among the variables of `model` of what each optimizer was built for.

    By "o0", "o1", ...; of the optimizers that `model` names, as these are built by its
    own `train_step`, each for some.

    Raises:
        ValueError: an optimizer trains what is not of the model.
    """
    if not names_optimizers(model):
        return {}
    place = {id(variable): i for i, variable in enumerate(model.variables)}
    found = {}
    for i, optimizer in enumerate(optimizers_of(model).values()):
        trained = [id(variable) for variable in built_for(plain(optimizer))]
        if not place.keys() >= {*trained}:
            raise ValueError(
                "`model` must hold all that its optimizers train. Received: variables "
                f"of another in optimizer {optimizer.name!r}. Set the networks as "
                "attributes of the model."
            )
        found[f"o{i}"] = np.array([place[variable] for variable in trained], int)
    return found


def build_as_saved(model: keras.Model, saved: Mapping[str, np.ndarray]) -> None:
    """Build the optimizers that `model` names by what `built_places` gave."""
    for i, optimizer in enumerate(optimizers_of(model).values()):
        places = saved.get(f"o{i}", ())
        if len(places) and not optimizer.built:
            optimizer.build([model.variables[place] for place in places])
