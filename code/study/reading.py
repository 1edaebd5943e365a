"""Reads a text file whole, or says in a sentence why it cannot be read."""

import re
from pathlib import Path

from study.errors import StudyError

_MARK = re.compile(r"^\ufeff+", re.MULTILINE)  # also where one file was joined to another
_MARKUP = re.compile(rb"\s*(<!--|<!doctype|<html|<head|<\?xml)", re.IGNORECASE)
_OBJECT = re.compile(rb"\s*\{\s*\"")
_REFUSAL = re.compile(  # "404: Not Found": a phrase without columns
    rb"\s*(\d{3}:? [a-z]|((entry|repository|file) )?not found|access |invalid |too many |"
    rb"rate limit|forbidden|unauthori[sz]ed|bad (gateway|credentials)|service unavailable|"
    rb"internal server error|gateway time|upstream )[^\t]{0,200}\Z",
    re.IGNORECASE,
)
_ARCHIVES = (
    b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf",
)
_AGAIN = "Download the file again and look at it."
_START = 1000  # bytes of a file that tell what it is
_ANNEX = re.compile(rb"\s*(\.\./)*(/|\.git/)?annex/objects/")


def read_text(path: Path) -> str:
    """The file as UTF-8 text, without byte-order marks; line ends are left as they are.

    Raises:
        StudyError: the file is missing, unreadable, not UTF-8 (with the line of the bad byte), or
            something that stands in the place of a text (``find_no_text``).
    """
    data = _read(path)
    if found := find_no_text(data):
        raise StudyError(f"expected UTF-8 text, got {found[0]}", where=str(path), remedy=found[1])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StudyError(
            f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}",
            where=f"{path}:{line}",
            remedy="Save the file as UTF-8, or restore it from its release.",
        ) from error
    if "\r" in text and "\n" not in text:
        raise StudyError(
            "the lines end in carriage returns alone, expected line feeds",
            where=str(path),
            remedy="Save the file with the line ends of Unix or Windows.",
        )
    return _MARK.sub("", text)


def refuse_stand_in(path: Path) -> None:
    """Refuses a file of any format in whose place something else was stored (``find_stand_in``).

    Raises:
        StudyError: naming what is there, or that the file cannot be read.
    """
    if found := find_stand_in(_read(path, _START)):
        raise StudyError(
            f"expected the file itself, got {found[0]}", where=str(path), remedy=found[1]
        )


def _read(path: Path, size: int = -1) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        problem = error.strerror or str(error)
        remedy = "Check that it exists and that you may read it."
        if path.is_symlink() and not path.exists():
            problem = f"it is a link to {path.readlink()}, which is not there"
            remedy = "Fetch what it links to; of a repository with git-annex: `git annex get FILE`."
        raise StudyError(
            f"the file cannot be read ({problem})", where=str(path), remedy=remedy
        ) from error


def find_no_text(data: bytes) -> tuple[str, str] | None:
    """As ``find_stand_in``, and what is in the place of a text that is neither JSON nor binary."""
    start = data[:_START]
    if found := find_stand_in(data):
        return found
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16", "Save the file as UTF-8."
    if b"\0" in start:
        return "binary data", "Check that this is the right file, and that it is whole."
    if _OBJECT.match(start.removeprefix(b"\xef\xbb\xbf")):
        return f"the answer of a server ({_first_line(start)})", _AGAIN
    return None


def find_stand_in(data: bytes) -> tuple[str, str] | None:
    """What was stored in the place of a file's content, and what to do; None where nothing was.

    That is the pointer of a repository which keeps large files elsewhere, a server's answer that
    was saved under the file's name, or an archive that was not unpacked.
    """
    start = data[:_START].removeprefix(b"\xef\xbb\xbf")
    if start.startswith(b"version https://git-lfs.github.com/"):
        return "a pointer of Git LFS to the file", "Fetch the file itself: `git lfs pull`."
    if _ANNEX.match(start):
        return "a pointer of git-annex to the file", "Fetch the file itself: `git annex get FILE`."
    if _MARKUP.match(start) or _REFUSAL.match(start):
        return f"the answer of a server ({_first_line(start)})", _AGAIN
    if start.startswith(_ARCHIVES) or start[257:262] == b"ustar":
        return "an archive or a compressed file", "Unpack it."
    return None


def _first_line(start: bytes) -> str:
    return repr(start.strip().split(b"\n")[0].decode("utf-8", "replace").strip()[:60])
