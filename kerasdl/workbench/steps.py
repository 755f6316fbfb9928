"""The steps of a recipe: each is trained, kept, measured, and a row of a table."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .model_card import model_card

if TYPE_CHECKING:
    from kerasdl.learner import Learner, Rates
    from kerasdl.predict import SplitPredictions
    from kerasdl.runs import Run

Predict = Callable[[str], "SplitPredictions"]


class Steps:
    """The steps of a recipe, from the first to the files of its run folder.

    A step that an earlier process finished is read back, not trained.

    Args:
        learn: at work in the folder `state` of the run.
        run: at work.
        measure: what to note of predictions, given a function of the split that makes
            them; "valid loss" says which step is best. None is the accuracy of each
            held-out split, and the log loss of "valid".

    Attributes:
        rows: a row for each step so far; its minutes are of the training and of the
            activations it needs.
    """

    def __init__(
        self,
        learn: "Learner",
        run: "Run",
        measure: Callable[[Predict], dict[str, float]] | None = None,
    ) -> None:
        self.learn = learn
        self.run = run
        self.rows: list[dict[str, Any]] = []
        self._measure = measure or self._accuracies
        self._sizes: dict[str, tuple[int, int]] = {}

    def find_rate(self, name: str, num_steps: int = 100) -> None:
        """Draw `NAME.png` for whoever chooses a rate; see `Learner.lr_find`."""
        began = time.monotonic()
        found = self.learn.lr_find(1e-6, 1, num_steps)
        self.rows.append({"step": name, "minutes": _minutes_since(began)})
        found.plot(self.run.path / f"{name}.png")
        rates = [f"{way} {rate:.1e}" for way, rate in found.suggestions.items()]
        print(f"rates by {name}.png: {', '.join(rates)}")

    def fit(
        self,
        step: str,
        learning_rate: "Rates",
        cycles: int = 1,
        cycle_len: int = 1,
        cycle_mult: int = 1,
    ) -> None:
        """Train, as `Learner.fit` does; keep the weights and measure them."""
        print(f"\n{step}")
        began = time.monotonic()
        history = self.learn.fit(
            learning_rate, cycles, cycle_len, cycle_mult, resume=True
        )
        earlier = history["seconds"].iloc[: history.attrs["restored"]].sum() / 60
        row = {"step": step, "epochs": len(history)}
        row["minutes"] = earlier + _minutes_since(began)
        self.learn.save(self.run.path / "state" / f"{step}.weights.h5")
        self._sizes[step] = self.learn.data.image_size
        self.rows.append(row | self._measure(self.learn.predict))

    def keep_best(self) -> str:
        """Take the Learner back to the step whose validation loss is lowest."""
        trained = [row for row in self.rows if "valid loss" in row]
        best = min(trained, key=lambda row: row["valid loss"])["step"]
        if self._sizes[best] != self.learn.data.image_size:
            self.learn.set_data(self.learn.data.with_image_size(self._sizes[best]))
        self.learn.load(self.run.path / "state" / f"{best}.weights.h5")
        print(f"\nkept: {best}, whose loss on the validation photos is lowest")
        return best

    def measure(self, step: str, predict: Predict) -> None:
        """Add a row of what `predict` makes of the photos."""
        print(f"\n{step}")
        began = time.monotonic()
        seen = self._measure(predict)
        self.rows.append({"step": step, "minutes": _minutes_since(began), **seen})

    def write(self, title: str, best: str) -> None:
        """Write the models, curves, history and README; print and record the table."""
        import pandas as pd

        from kerasdl import export

        learn, data, folder = self.learn, self.learn.data, self.run.path
        learn.export(folder / "model.keras")
        learn.export(folder / "model.tflite")
        learn.plot_losses(folder / "curves.png")
        learn.plot_lr(folder / "rates.png")
        learn.history.to_csv(folder / "history.csv", index=False)
        kept = next(row for row in self.rows if row["step"] == best)
        splits = [split for split in data.splits if kept.get(split) is not None]
        accuracies = {split: kept[split] for split in splits}
        readme = export.run_readme(
            *(data.class_names, data.image_size, data.resize, title),
            multi_label=data.label_mode == "multi_label",
            facts=model_card(self.run, data, learn.model, accuracies),
        )
        (folder / "README.md").write_text(readme, encoding="utf-8")
        table = pd.DataFrame(self.rows)
        self.run.manifest["image_size"] = list(data.image_size)
        self.run.record(steps=json.loads(table.to_json(orient="records")), best=best)
        shown = table.to_string(index=False, na_rep="", float_format="{:.4g}".format)
        print(f"\n{shown}")

    def _accuracies(self, predict: Predict) -> dict[str, float]:
        row = {}
        for split in self.learn.data.splits[1:]:
            if self.learn.data.has_labels(split):
                found = predict(split)
                row[split] = found.accuracy
                if split == "valid":
                    row["valid loss"] = found.log_loss
        return row


def _minutes_since(began: float) -> float:
    return (time.monotonic() - began) / 60
