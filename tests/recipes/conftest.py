import re
from pathlib import Path

import pytest

PROMISES = Path(__file__).parents[2] / "saved_models" / "README.md"


@pytest.fixture
def keeps_promises():
    """A check that the folder of a finished run holds what saved_models promises."""

    def check(folder, *, of_photos, several_labels=False):
        rows = PROMISES.read_text(encoding="utf-8").split("## Exports")[0]
        files = re.findall(
            r"`(\w+\.\w+)`", "\n".join(re.findall(r"^\| `.*", rows, re.M))
        )
        assert {"report.html", "mistakes.png", "confusion.png"} <= set(files)
        absent = {name for name in files if not (folder / name).is_file()}
        allowed = set() if of_photos else {"mistakes.png"}
        assert absent <= allowed | ({"confusion.png"} if several_labels else set())

    return check
