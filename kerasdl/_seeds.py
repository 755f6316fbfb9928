"""Seeds: a given one is used, a missing one is drawn and printed; and many of one."""

import secrets
from numbers import Integral


def resolve_seed(seed: int | None) -> int:
    """Return `seed`; for None draw a fresh one below 2**31 and print it.

    Raises:
        ValueError: `seed` is neither None nor an integer in [0, 2**31).
    """
    if seed is None:
        seed = secrets.randbelow(2**31)
        print(f"seed={seed} (drawn; pass it to repeat this run)")
        return seed
    is_int = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not is_int or not 0 <= seed < 2**31:
        raise ValueError(
            f"`seed` must be None or an integer in [0, 2**31). Received: seed={seed!r}"
        )
    return int(seed)


class Seeds:
    """The seeds of a network, one after the other: `seed`, and those that follow it.

    None is drawn, and printed, once the first is asked for: after all checks.

    Raises:
        ValueError: `seed` is neither None nor an integer in [0, 2**31).
    """

    def __init__(self, seed: int | None) -> None:
        self._next = None if seed is None else resolve_seed(seed)

    def __call__(self) -> int:
        """Return the next one."""
        return self._skip(1)

    def take(self, count: int) -> "Seeds":
        """Set the next `count` aside, for who asks for them later."""
        taken = Seeds(None)
        taken._next = self._skip(count)
        return taken

    def _skip(self, count: int) -> int:
        """Return the next one, and go on behind `count`."""
        first = resolve_seed(None) if self._next is None else self._next
        self._next = first + count
        return first


class DrawnSeeds:
    """Seeds of a network that are drawn from one; None each where that is None."""

    def __init__(self, seed: int | None) -> None:
        import numpy as np  # late: what reads runs is light

        self._draws = None if seed is None else np.random.default_rng(seed)

    def __call__(self) -> int | None:
        """Return the next one."""
        return None if self._draws is None else int(self._draws.integers(2**31))
