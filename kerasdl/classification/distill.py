"""Distillation by Keras's Distiller, of classifiers that return probabilities."""

from typing import Any

import keras
from keras import layers, ops


class ProbabilityDistillation(keras.distillation.LogitsDistillation):
    """`LogitsDistillation` for models that end in softmax or in one sigmoid unit.

    Kullback-Leibler divergence of the student's from the teacher's probabilities, both
    softened by the temperature, times its square. Logarithms of probabilities are
    logits: the softmax of `log(p) / T` is that of the network's own logits over T. (In
    Keras 3.15, `LogitsDistillation` without its argument `loss` takes the divergence of
    logits as if they were probabilities.)

    Args:
        temperature: above 0; what is higher tells more of how a teacher ranks the
            classes that it rules out.

    Raises:
        ValueError: `temperature` is no number above 0.

    Reference:
        Hinton et al., 2015, https://arxiv.org/abs/1503.02531, section 2.
    """

    def __init__(self, temperature: float = 4.0) -> None:
        super().__init__(temperature, keras.losses.KLDivergence())

    def compute_loss(  # noqa: D102
        self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any
    ) -> Any:
        return super().compute_loss(_logits(teacher_outputs), _logits(student_outputs))

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {"temperature": self.temperature}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ProbabilityDistillation":  # noqa: D102
        return cls(**config)


def distiller(
    student: keras.Model, temperature: float = 4.0, student_loss_weight: float = 0.1
) -> keras.distillation.Distiller:
    """Make a model that trains `student` on what a teacher said: `TaughtPhotos.train`.

    Its loss is `student_loss_weight` times the one it is compiled with, for the true
    labels, and the rest of 1 times `ProbabilityDistillation`; penalties on weights in
    `student` itself are left out, as Keras's Distiller does. The student's weights are
    those of `student`, which stays the plain model it is. As the answers come with each
    batch, the Distiller's teacher only passes them on.

    Args:
        student: takes pixels `(batch, height, width, 3)` and returns probabilities
            `(batch, classes)`, or that of the second of two alone.
        temperature: as in `ProbabilityDistillation`.
        student_loss_weight: in [0, 1]; "considerably lower" than that of the teacher's
            answers works best (Hinton et al.).

    Returns:
        A Distiller that is not compiled. Compile it with a loss for class indices:
        `keras.losses.SparseCategoricalCrossentropy()`, or `BinaryCrossentropy()` for
        one output.

    Raises:
        ValueError: a temperature or weight outside its range.

    Reference:
        Hinton et al., 2015, https://arxiv.org/abs/1503.02531, section 2.
    """
    outputs = student.output_shape[-1]
    photos = keras.Input(student.input_shape[1:], name="photos")
    answers = keras.Input((max(outputs, 2),), name="answers")
    taught = student(photos)
    passed = (
        answers[:, 1:] if outputs == 1 else layers.Identity(dtype="float32")(answers)
    )
    return keras.distillation.Distiller(
        teacher=keras.Model([photos, answers], passed, name="answers"),
        student=keras.Model([photos, answers], taught, name="student"),
        distillation_losses=ProbabilityDistillation(temperature),
        student_loss_weight=student_loss_weight,
    )


def _logits(probabilities: Any) -> Any:
    """Logarithms of probabilities `(batch, classes)`, one sigmoid unit as two."""
    if probabilities.shape[-1] == 1:
        probabilities = ops.concatenate([1 - probabilities, probabilities], axis=-1)
    return ops.log(ops.clip(probabilities, keras.config.epsilon(), 1.0))
