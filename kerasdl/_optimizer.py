"""The optimizers of a model: which there are, what is in them, what can be set."""

import inspect
from collections.abc import Iterator, Mapping

import keras
from keras.optimizers import Optimizer

_EXAMPLE = "`self.optimizers = {'generator': ..., 'discriminator': ...}`"


def plain(optimizer: Optimizer) -> Optimizer:
    """`optimizer`, taken out of its LossScaleOptimizer."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def has_settable_rate(optimizer: Optimizer) -> bool:
    """Whether its learning rate was given as a float, which can be set."""
    return isinstance(optimizer.learning_rate, keras.Variable)


def rate_of(optimizer: Optimizer) -> float:
    """Its learning rate at present, also under a strategy of TensorFlow."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def iterations_of(optimizer: Optimizer) -> int:
    """How often it has changed the weights."""
    return int(keras.ops.convert_to_numpy(optimizer.iterations))


def check_single(optimizer: Optimizer) -> None:
    """Raise ValueError for a MultiOptimizer."""
    if isinstance(optimizer, keras.optimizers.MultiOptimizer):
        raise ValueError(
            "`model` must be compiled with one optimizer. Received: a MultiOptimizer, "
            "whose parts have rates of their own."
        )


def has_own_step(model: keras.Model) -> bool:
    """Whether `model` trains by a `train_step` of its own."""
    return type(model).train_step is not keras.Model.train_step


def names_optimizers(model: keras.Model) -> bool:
    """Whether `model` says which optimizers its own `train_step` trains by."""
    return has_own_step(model) and getattr(model, "optimizers", None) is not None


def optimizers_of(model: keras.Model) -> dict[str, Optimizer]:
    """The optimizers that a compiled `model` trains by.

    That of `compile`; or what a model with its own `train_step` names as `optimizers`,
    a list or a dict.

    Returns:
        Each by an ending for the names of what belongs to it: "" where there is one
        alone; else "_NAME", or its place in a list.

    Raises:
        ValueError: `model` is not compiled, or with a MultiOptimizer; or it has a
            `train_step` of its own, and the optimizers of that cannot be told.
    """
    if not model.compiled:
        raise ValueError(
            "`model` must be compiled. Received: model.compiled=False. "
            "Call `model.compile()` first."
        )
    named = _named(model) if names_optimizers(model) else {"0": model.optimizer}
    if has_own_step(model):
        _check_complete(model, list(named.values()))
    for optimizer in named.values():
        check_single(optimizer)
    if len(named) == 1:
        return dict.fromkeys([""], *named.values())
    return {f"_{name}": optimizer for name, optimizer in named.items()}


def one_optimizer(model: keras.Model) -> Optimizer:
    """The optimizer of a compiled `model` that has one alone.

    Raises:
        ValueError: it has several, or what `optimizers_of` refuses.
    """
    found = optimizers_of(model)
    if len(found) > 1:
        names = ", ".join(name.removeprefix("_") for name in found)
        raise ValueError(
            "`model` must have one optimizer alone. Received: "
            f"model.optimizers of {names}. Train it with `resumable_fit`, and give a "
            "schedule the one that it sets as `optimizer=`."
        )
    return found[""]


def held_by(model: keras.Model) -> list[Optimizer]:
    """All optimizers that attributes of `model` hold, also in lists and dicts."""
    found = {id(part): part for value in vars(model).values() for part in _in(value)}
    return list(found.values())


def _in(value: object) -> Iterator[Optimizer]:
    if isinstance(value, Mapping):
        value = list(value.values())
    for part in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(part, Optimizer):
            yield part


def _named(model: keras.Model) -> dict[str, Optimizer]:
    given = model.optimizers
    if isinstance(given, (list, tuple)):
        given = {str(place): optimizer for place, optimizer in enumerate(given)}
    parts = list(given.values()) if isinstance(given, Mapping) else []
    differ = len({id(part) for part in parts}) == len(parts)
    if not parts or not differ or not all(isinstance(p, Optimizer) for p in parts):
        raise ValueError(
            "`optimizers` of a model must be a list or a dict of different optimizers. "
            f"Received: optimizers={given!r:.200} of a {type(model).__name__}"
        )
    return {str(name): optimizer for name, optimizer in given.items()}


def _check_complete(model: keras.Model, named: list[Optimizer]) -> None:
    """Raise ValueError if `named` are not all that the `train_step` may train by."""
    default = _is_default(model.optimizer)
    if not names_optimizers(model) and default:
        found = "compiled without an optimizer"
    else:
        known = [*named, *([model.optimizer] if default else ())]
        ids = {id(part) for one in known for part in (one, plain(one))}
        other = [one for one in held_by(model) if id(one) not in ids]
        if not other:
            return
        found = f"with {len(other)} that it does not name ({type(other[0]).__name__})"
    raise ValueError(
        "`model`, with its own `train_step`, must name the optimizers of that, so that "
        f"none is forgotten. Received: a {type(model).__name__} {found}. Set them, as "
        f"in {_EXAMPLE}, or compile with the one that it uses."
    )


def _is_default(optimizer: Optimizer | None) -> bool:
    """Whether `compile` took it for want of another, or one just like that."""
    if optimizer is None:
        return True
    given = plain(optimizer)
    parameters = inspect.signature(keras.Model.compile).parameters
    default = keras.optimizers.get(parameters["optimizer"].default)
    names = {"name": None}  # they are counted up
    return (
        type(given) is type(default)
        and given.get_config() | names == default.get_config() | names
    )
