"""How what is given differs from what a file was written with."""

from collections.abc import Iterator, Mapping
from typing import Any

_SHOWN = 5  # differences in a message


def check_made_with(
    recorded: Mapping[str, Any], given: Mapping[str, Any], name: str, value: str
) -> None:
    """Raise ValueError if `given` differs from what is `recorded`; both are named.

    Args:
        recorded: what a file was written with, as JSON holds it.
        given: the same of this training.
        name: of the argument that says where the file is.
        value: the file.
    """
    before, now = dict(_flat(recorded)), dict(_flat(given))
    found = [
        f"{key}={now.get(key)!r} (recorded: {before.get(key)!r})"
        for key in before | now
        if repr(before.get(key)) != repr(now.get(key))  # NaN is NaN here
        and before.get(key) != now.get(key)
    ]
    if found:
        rest = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ValueError(
            f"`{name}` must have been written by the same training. Received: "
            f"{name}={value!r}, {', '.join(found[:_SHOWN])}{rest}. Repeat what is "
            f"recorded, or remove the {name} to start anew."
        )


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a nest of dicts and lists, by a name such as `optimizer.momentum`."""
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        yield key, value
        return
    for part, inner in parts:
        yield from _flat(inner, f"{key}.{part}" if key else str(part))
