"""Reads a text file whole, or says in a sentence why it cannot be read."""

import re
from pathlib import Path

from study.errors import StudyError

_MARK = re.compile(r"^\ufeff+", re.MULTILINE)  # also where one file was joined to another
_MARKUP = re.compile(rb"\s*(<!doctype|<html|<head|<\?xml|\{\s*\")", re.IGNORECASE)
_REFUSAL = re.compile(  # "404: Not Found": a phrase without columns
    rb"\s*(\d{3}:? [a-z]|((entry|repository|file) )?not found|access |invalid |too many )[^\t]*\Z",
    re.IGNORECASE,
)
_ANNEX = re.compile(rb"\s*(\.\./)*(/|\.git/)?annex/objects/")


def read_text(path: Path) -> str:
    """The file as UTF-8 text, without byte-order marks; line ends are left as they are.

    Raises:
        StudyError: the file is missing, unreadable, not UTF-8 (with the line of the bad byte), or
            something that stands in the place of the file (``find_stand_in``).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = error.strerror or str(error)
        remedy = "Check that it exists and that you may read it."
        if path.is_symlink() and not path.exists():
            problem = f"it is a link to {path.readlink()}, which is not there"
            remedy = "Fetch what it links to; of a repository with git-annex: `git annex get FILE`."
        raise StudyError(
            f"the file cannot be read ({problem})", where=str(path), remedy=remedy
        ) from error
    if found := find_stand_in(data):
        raise StudyError(f"expected text, got {found[0]}", where=str(path), remedy=found[1])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StudyError(
            f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}",
            where=f"{path}:{line}",
            remedy="Save the file as UTF-8, or restore it from its release.",
        ) from error
    return _MARK.sub("", text)


def find_stand_in(data: bytes) -> tuple[str, str] | None:
    """What was stored in the place of a file's content, and what to do; None where nothing was.

    That is the pointer of a repository which keeps large files elsewhere, a server's answer that
    was saved under the file's name, or an archive that was not unpacked.
    """
    start = data[:1000].removeprefix(b"\xef\xbb\xbf")
    if start.startswith(b"version https://git-lfs.github.com/"):
        return "a pointer of Git LFS to the file", "Fetch the file itself: `git lfs pull`."
    if _ANNEX.match(start):
        return "a pointer of git-annex to the file", "Fetch the file itself: `git annex get FILE`."
    if _MARKUP.match(start) or _REFUSAL.match(start):
        first = start.strip().split(b"\n")[0].decode("utf-8", "replace").strip()[:60]
        return f"the answer of a server ({first!r})", "Download the file again and look at it."
    if start.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ")):
        return "a compressed file", "Unpack it."
    return None
