"""A finished run, and the task that it is of."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from kerasdl._described import Described, some
from kerasdl._file_names import MODEL
from kerasdl._numbers import number

IMAGE_CLASSIFICATION = "image_classification"  # also of runs that name no task

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class RunInfo(Described):
    """A finished run.

    Attributes:
        path: its folder.
        labels: class names in output order; none if it has no `labels.txt`.
        manifest: the content of `manifest.json`.
    """

    path: Path
    labels: list[str]
    manifest: dict[str, Any]

    @property
    def task(self) -> str:
        """What its model is for, such as "image_classification"."""
        return self.manifest.get("task", IMAGE_CLASSIFICATION)

    def of_task(self, known: Mapping[str, T]) -> T:
        """What `known` has for the task of this run.

        Raises:
            ValueError: nothing.
        """
        if self.task not in known:
            raise ValueError(
                f"The run must be one of {', '.join(known)}. Received: "
                f"{str(self.path)!r}, a run of {self.task}"
            )
        return known[self.task]

    def _facts(self) -> dict[str, str]:
        results = self.manifest.get("results", {})
        numbers = [f"{k} {number(v)}" for k, v in _numbers(results).items()]
        return {
            "folder": str(self.path),
            "task": self.task,
            "classes": some(self.labels),
            "size": " x ".join(map(str, self.manifest.get("image_size", ()))),
            "seed": str(self.manifest.get("seed", "")),
            "begun": str(self.manifest.get("start", "")),
            "results": some(numbers),
        }

    @property
    def model_path(self) -> Path:
        """Where the run keeps its Keras model."""
        return self.path / MODEL


def _numbers(results: Any) -> dict[str, float]:
    """The numbers among the results of a run, by name."""
    found = results.items() if isinstance(results, dict) else ()
    return {k: v for k, v in found if type(v) in (int, float)}
