"""Text files that stand beside photos."""

from pathlib import Path


def text_of(file: Path) -> str:
    """What a file in UTF-8 holds, without its byte order mark.

    Raises:
        ValueError: it is in another encoding.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeError as error:
        raise ValueError(
            f"A text file must be in UTF-8. Received: {str(file)!r} ({error}). Save it "
            "anew in that."
        ) from error


def lines_of(file: Path) -> list[str]:
    """The lines of a file that hold something, without spaces around them.

    Raises:
        ValueError: it is in another encoding.
    """
    return [line.strip() for line in text_of(file).splitlines() if line.strip()]
