"""The steps of a recipe that trains a Learner."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .run_files import model_card, write_run_files
from .steps import Steps
from .training_run import STATE

if TYPE_CHECKING:
    from kerasdl.classification import ClassificationReport, Learner, SplitPredictions
    from kerasdl.data import ImageData
    from kerasdl.learner import Rates
    from kerasdl.runs import Run

Predict = Callable[[str], "SplitPredictions"]


class LearnerSteps(Steps):
    """Steps that train a Learner, whose folder is the folder `state` of the run.

    The step of the lowest "valid loss" is best; where all photos train, the last. What
    an earlier process trained is read back.

    Args:
        learn: at work.
        run: at work.
        measure: what to note of predictions, given a function of the split that makes
            them. None is the accuracy of each held-out split, and the log loss of
            "valid".
    """

    def __init__(
        self,
        learn: "Learner",
        run: "Run",
        measure: Callable[[Predict], dict[str, float]] | None = None,
    ) -> None:
        super().__init__(run, best="valid loss")
        self.learn = learn
        self._measure = measure or self._accuracies
        self._data: dict[str, ImageData] = {}

    @classmethod
    def pretrained(
        cls,
        run: "Run",
        backbone: str,
        data: "ImageData",
        measure: Callable[[Predict], dict[str, float]] | None = None,
        **options: Any,
    ) -> Self:
        """Of a Learner on a pretrained trunk, by Adam, with the seed of the run.

        Args:
            run: at work.
            backbone: as in `Learner.pretrained`.
            data: photos.
            measure: as in the class.
            **options: of `Learner.pretrained`.
        """
        from kerasdl.classification import Learner

        state = run.path / STATE
        learn = Learner.pretrained(
            backbone, data, folder=state, optimizer="adam", seed=run.seed, **options
        )
        return cls(learn, run, measure)

    def find_rate(self, step: str, num_steps: int = 100) -> None:
        """Draw `STEP.png` for whoever chooses a rate; see `Learner.lr_find`."""

        def find() -> dict[str, Any]:
            found = self.learn.lr_find(1e-6, 1, num_steps)
            found.plot(self.run.path / f"{step}.png")
            ways = [f"{way} {rate:.1e}" for way, rate in found.suggestions.items()]
            print(f"rates by {step}.png: {', '.join(ways)}")
            return {}

        self.do(step, find)

    def fit(
        self,
        step: str,
        learning_rate: "Rates",
        cycles: int = 1,
        cycle_len: int = 1,
        cycle_mult: int = 1,
    ) -> None:
        """Train, as `Learner.fit` does; keep the weights and measure them."""

        def fit() -> dict[str, Any]:
            history = self.learn.fit(
                learning_rate, cycles, cycle_len, cycle_mult, resume=True
            )
            self.learn.save(self._weights(step))
            self._data[step] = self.learn.data
            restored = history["seconds"].iloc[: history.attrs["restored"]]
            return {"epochs": len(history), "minutes": restored.sum() / 60}

        self.do(step, fit, lambda: self._measure(self._predict))

    def measure(self, step: str, predict: Predict) -> None:
        """Add a row of what `predict` makes of the photos."""
        self.do(step, lambda: self._measure(predict))

    def keep_best(self) -> str:
        """Take the Learner back to the best step; returns its name."""
        best = self.best()["step"]
        if self._data[best] is not self.learn.data:
            self.learn.set_data(self._data[best])
        self.learn.load(self._weights(best))
        self.run.manifest["image_size"] = list(self.learn.data.image_size)
        why = "whose loss on the validation photos is lowest"
        if "valid" not in self.learn.data.splits:
            why = "the last: no photo is held out to compare them by"
        print(f"\nkept: {best}, {why}")
        return best

    def write(
        self, title: str, best: str, report: "ClassificationReport | None"
    ) -> None:
        """Write the files of the run, of which `best` is kept; print the table."""
        learn, run = self.learn, self.run
        kept = next(row for row in self.rows if row["step"] == best)
        self.record(best=best)
        learn.plot_lr(run.path / "rates.png")
        write_run_files(
            run,
            model=learn.model,
            history=learn.history,
            report=report,
            title=title,
            data=learn.data,
            card=model_card(run, learn.data, learn.model, kept, title),
        )

    def _weights(self, step: str) -> Path:
        return self.run.path / STATE / f"{step}.weights.h5"

    def _predict(self, split: str) -> "SplitPredictions":
        from kerasdl.predict import predict_split

        return predict_split(self.learn.model, self.learn.data, split)

    def _accuracies(self, predict: Predict) -> dict[str, float]:
        row = {}
        for split in self.learn.data.splits[1:]:
            if self.learn.data.has_labels(split):
                found = predict(split)
                row[split] = found.accuracy
                if split == "valid":
                    row["valid loss"] = found.log_loss
        return row
