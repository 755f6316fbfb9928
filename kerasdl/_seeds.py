"""Seeds: a given one is used, a missing one is drawn and printed."""

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
