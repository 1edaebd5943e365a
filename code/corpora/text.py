"""Reads a text file whole, or says in a sentence why it cannot be read."""

from pathlib import Path

from study.errors import StudyError


def read_text(path: Path) -> str:
    """The file as UTF-8 text, without a byte-order mark; line ends are left as they are.

    Raises:
        StudyError: the file is missing, unreadable, or not UTF-8 (with the line of the bad byte).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StudyError(
            f"the file cannot be read ({error.strerror or error})",
            where=str(path),
            remedy="Check that it exists and that you may read it.",
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StudyError(
            f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}",
            where=f"{path}:{line}",
            remedy="Save the file as UTF-8, or restore it from its release.",
        ) from error
