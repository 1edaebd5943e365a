"""Reads acceptability judgements from tab-separated files in the layout of public CoLA.

Four columns without a header (Warstadt et al. 2019, ``cola_public/raw``): source code, label
(0 or 1), the author's mark (``*``, ``?`` or nothing), sentence. Tokenisation is left out.
"""

from pathlib import Path

from corpora.items import Sentence
from study.errors import StudyError
from study.reading import read_text

#: Source codes with this prefix name a phenomenon of the miniature corpus: "mini-agreement".
MINIATURE_PREFIX = "mini-"

_COLUMNS = 4
_ENDINGS = tuple(".?!…:;\"'”’)]")
_REMEDY = "Restore the file from its release; columns are source, label, mark and sentence."


def read_acceptability(path: Path, domain: str) -> list[Sentence]:
    """Reads one file; ``domain`` is "in", "out" or "" for all its sentences.

    Raises:
        StudyError: with file and line where the file is missing, empty, malformed or cut off.
    """
    text = read_text(path)
    lines = text.removesuffix("\n").split("\n") if text else []
    if not lines:
        raise _malformed("expected labelled sentences, got an empty file", str(path))
    sentences = [
        _parse_line(line, f"{path}:{number}", domain) for number, line in enumerate(lines, 1)
    ]
    if not text.endswith("\n") and not sentences[-1].text.endswith(_ENDINGS):
        problem = "the last line ends without a newline and without punctuation"
        raise _malformed(f"{problem}: the file is cut off", f"{path}:{len(lines)}")
    return sentences


def _parse_line(line: str, where: str, domain: str) -> Sentence:
    columns = line.rstrip("\r").split("\t")
    if len(columns) != _COLUMNS:
        problem = f"expected {_COLUMNS} tab-separated columns, got {len(columns)}"
        raise _malformed(problem, where)
    code, label, _mark, text = columns
    if label not in ("0", "1"):
        raise _malformed(f"expected the label 0 or 1 in column 2, got {label!r}", where)
    if not text.strip():
        raise _malformed("expected a sentence in column 4, got none", where)
    miniature = code.startswith(MINIATURE_PREFIX)
    source = "miniature" if miniature else code
    phenomenon = code.removeprefix(MINIATURE_PREFIX) if miniature else ""
    return Sentence(text.strip(), int(label), source, domain, phenomenon)


def _malformed(problem: str, where: str) -> StudyError:
    return StudyError(problem, where=where, remedy=_REMEDY)
