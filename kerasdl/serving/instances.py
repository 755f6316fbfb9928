"""The rows of a request in TensorFlow Serving's form."""

import json
from typing import Any

from starlette.exceptions import HTTPException


def read_instances(body: bytes, max_rows: int) -> list[Any]:
    """What stands under "instances" in a body of JSON.

    Args:
        body: of the request.
        max_rows: that are taken.

    Raises:
        ValueError: it has no such list, or an empty one.
        HTTPException: 413 for too many rows.
    """
    try:
        request = json.loads(body)
        json.dumps(request, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # JSON's escapes can cut a character in two
        half = error.object[error.start : error.end]
        raise ValueError(
            "the body must be of whole characters. Received: half of a surrogate pair, "
            f"{half!r}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body must be JSON ({error})") from error
    rows = request.get("instances") if isinstance(request, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ValueError("the body must have instances, a list of at least one row")
    if len(rows) > max_rows:
        raise HTTPException(413, f"instances must be at most {max_rows} rows")
    return rows
