"""The steps of a recipe: each is done, timed, measured, and a row of a table."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .finished import read_facts, write_facts
from .training_run import STATE

if TYPE_CHECKING:
    from kerasdl.runs import Run

Work = Callable[[], Mapping[str, Any]]


class Steps:
    """The steps of a recipe, in the order they are done.

    Args:
        run: at work.
        best: the column of the table that says which step is kept.
        lowest: whether the lowest value there is best, or the highest. Of equal ones
            the later step is, as it has seen more.
        name: what a step is called in the table and in the manifest.

    Attributes:
        rows: a row for each step so far.
    """

    def __init__(
        self, run: "Run", best: str, lowest: bool = True, name: str = "step"
    ) -> None:
        self.run = run
        self.rows: list[dict[str, Any]] = []
        self._best, self._lowest, self._name = best, lowest, name

    def do(self, step: str, work: Work, measure: Work | None = None) -> None:
        """Do one, and add its row.

        Args:
            step: its name.
            work: does it, and returns what is known then; `minutes` among it are those
                of an earlier process, to which those of `work` are added.
            measure: returns what is known afterwards; its time does not count.
        """
        print(f"\n{step}")
        began = time.monotonic()
        found = _with_minutes(work(), began)
        self.add(step, found | dict(measure() if measure else {}))

    def once(
        self,
        step: str,
        work: Callable[[], dict[str, Any]],
        made_with: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Do one whose end is kept in the state: a resumed run reads it back.

        Args:
            step: its name.
            work: does it, and returns what is known then, as JSON can hold it; `row`
                among it is that of the table, with minutes as in `do`.
            made_with: what decides it.

        Returns:
            What `work` returned, now or in an earlier process.

        Raises:
            ValueError: what is kept is damaged, or was made with something else.
        """
        path = self.run.path / STATE / f"{step}.json"
        if path.exists():
            found = read_facts(path, made_with)
        else:
            print(f"\n{step}")
            began = time.monotonic()
            found = work()
            found["row"] = _with_minutes(found["row"], began)
            write_facts(path, found, made_with)
        self.add(step, found["row"])
        return found

    def add(self, step: str, found: Mapping[str, Any]) -> None:
        """Add a row of what is known of a step."""
        self.rows.append({self._name: step, **found})

    def best(self) -> dict[str, Any]:
        """The row of the step to keep; the last where none was measured."""
        sign = -1 if self._lowest else 1
        ranked = [row for row in self.rows if self._best in row]
        if not ranked:
            return self.rows[-1]
        return max(reversed(ranked), key=lambda row: sign * row[self._best])

    def record(self, beside: Sequence[Mapping[str, Any]] = (), **facts: Any) -> None:
        """Print the table, and write it and `facts` into the manifest's results.

        Args:
            beside: rows of the same columns that are printed under it.
            facts: as JSON can hold them, by name.
        """
        import pandas as pd

        from kerasdl.tables import as_texts

        table = pd.DataFrame(self.rows)
        rows = json.loads(table.to_json(orient="records"))  # NaN as null
        self.run.record(**{f"{self._name}s": rows}, **facts)
        if beside:
            table = pd.concat([table, pd.DataFrame(beside)])
        print(f"\n{as_texts(table).to_string(index=False)}")


def _with_minutes(found: Mapping[str, Any], began: float) -> dict[str, Any]:
    """`found`, with the minutes since `began` added to those it has."""
    minutes = found.get("minutes", 0) + (time.monotonic() - began) / 60
    return {**found, "minutes": minutes}
