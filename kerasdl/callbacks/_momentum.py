"""An optimizer's momentum as something that may change from batch to batch."""

from typing import Any

import keras
import tensorflow as tf

from kerasdl._optimizer import plain


class VariableMomentum:
    """Puts the momentum of an `optimizer` of `model`, or its `beta_1`, on a variable.

    Keras holds it as a number, which the traced training step never reads again. The
    step is traced anew here.

    Raises:
        ValueError: the optimizer has none, or one of 0, for which it has no slots.
    """

    def __init__(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer
    ) -> None:
        optimizer = plain(optimizer)
        names = [name for name in ("momentum", "beta_1") if hasattr(optimizer, name)]
        if not names or not getattr(optimizer, names[0]):
            raise ValueError(
                "`max_momentum` must be None for an optimizer without momentum. "
                f"Received: {type(optimizer).__name__}. Compile with a momentum above "
                "0, such as SGD(momentum=0.9)."
            )
        self._optimizer, self._name = optimizer, names[0]
        self._number = float(getattr(optimizer, self._name))
        self._variable = tf.Variable(tf.constant(self._number), trainable=False)
        setattr(optimizer, self._name, _Momentum(self._number, self._variable))
        model.make_train_function(force=True)

    def assign(self, value: float) -> None:
        self._variable.assign(value)

    def put_back(self) -> None:
        """Give the optimizer its number; the traced step reads the same."""
        self._variable.assign(self._number)
        setattr(self._optimizer, self._name, self._number)


def put_momentum_back(optimizer: keras.optimizers.Optimizer) -> None:
    """Give `optimizer` the number that an interruption kept from it."""
    optimizer = plain(optimizer)
    for name in ("momentum", "beta_1"):
        left = getattr(optimizer, name, None)
        if isinstance(left, _Momentum):
            left.variable.assign(float(left))
            setattr(optimizer, name, float(left))


class _Momentum(float):
    """The compiled number for Python, and so in what is saved; a variable in a graph.

    An interrupted training may thus leave it where it is.
    """

    variable: tf.Variable

    def __new__(cls, number: float, variable: tf.Variable) -> "_Momentum":
        self = super().__new__(cls, number)
        self.variable = variable
        return self

    @property
    def dtype(self) -> str:
        """Keras asks every operand for it."""
        return self.variable.dtype.name

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> tf.Tensor:
        return tf.cast(self.variable, dtype or self.variable.dtype)

    def __sub__(self, other: Any) -> Any:
        return self.variable - other

    def __rsub__(self, other: Any) -> Any:
        return other - self.variable

    def __mul__(self, other: Any) -> Any:
        return self.variable * other

    __rmul__ = __mul__
