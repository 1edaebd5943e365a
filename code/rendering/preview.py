"""The report without a Quarto binary: the same ``.qmd``, executed once, as HTML and as PDF.

The way of the document: the ``.qmd`` is split into prose and chunks -> a kernel of this very
interpreter runs the chunks in order (nbclient) -> what they show is stitched back into Markdown ->
pandoc with ``preview.lua`` (numbers, references, conditional content, tabs) writes one HTML file
and a Typst source, which the typst binding compiles.

Honoured chunk options: ``label``, ``fig-cap``, ``tbl-cap``, ``fig-alt``, ``echo``, ``eval``,
``output``, ``include``, ``code-fold``, ``layout-ncol``; defaults come from ``_quarto.yml``, its
profile and the document's header, in this order. Left out: Quarto's themes, callout icons,
sub-figures, shortcodes, formats other than these two. Quarto stays the reference.
"""

import contextlib
import errno
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from rendering.document import HEADER, Piece, parse, read_document, read_settings
from rendering.execution import execute
from store.entries import disk_errors
from study.errors import StudyError
from words.wording import LANGUAGES, load_wording

_WORK = ".render-"  # and the process: the folder of a render that goes on
_METADATA = "metadata.json"  # in it, for pandoc
# Links in it: pandoc takes "%20" in a path for a space and ":" for the end of a folder's name.
_LINKS = _ASSETS, _DOCUMENT, _PROJECT = "assets", "document", "project"

Writer = Callable[[str, Path, Path], Path]
"""From Markdown, the document and the folder of work to the finished file."""
ASSETS = Path(__file__).resolve().parent
ROOT = ASSETS.parents[1]  # where page.html finds its scripts


def render(document: Path, output_dir: Path, profile: str) -> None:
    """Executes a ``.qmd`` once and writes ``<stem>.html`` and ``<stem>.pdf``.

    Args:
        document: the ``.qmd``; its folder is the project root: the kernel's working folder, and
            where ``_quarto.yml`` is looked for.
        output_dir: made when it is missing; both files appear in it only when both are complete.
        profile: selects ``_quarto-<profile>.yml``, reaches the chunks as ``QUARTO_PROFILE`` and
            decides ``when-profile`` content.

    Raises:
        StudyError: a chunk fails (names label, line and error), a reference or citation has no
            target, the document or its options cannot be read, Typst refuses the result, the
            output cannot be written.
    """
    document = document.resolve()
    text = read_document(document)
    settings = read_settings(document, text, profile)
    pieces = parse(text, document.name, settings.get("execute") or {})
    with disk_errors(output_dir, "OUTPUT_DIR"):
        _render(document, output_dir, profile, settings, pieces)


def _render(
    document: Path,
    output_dir: Path,
    profile: str,
    settings: Mapping[str, Any],
    pieces: Sequence[Piece],
) -> None:
    output_dir.mkdir(parents=True, exist_ok=True)
    _remove_left_over(output_dir)
    prefix = f"{_WORK}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=output_dir) as folder:
        work = Path(folder).resolve()
        (work / "media").mkdir()
        metadata = json.dumps(_metadata(settings, profile), default=str)
        (work / _METADATA).write_text(metadata, encoding="utf-8")
        given = (execute(pieces, document, profile, work), document, work)
        options = (settings.get("format") or {}).get("html") or {}
        write_html: Writer = partial(_write_html, int(options.get("toc-depth", 3)))
        # Both wait for programs of their own: side by side they take as long as the slower one.
        with ThreadPoolExecutor() as pool:
            writers: tuple[Writer, Writer] = (write_html, _write_pdf)
            writing = [pool.submit(write, *given) for write in writers]
        for path in [one.result() for one in writing]:
            path.replace(output_dir / f"{document.stem}{path.suffix}")
    _remove_left_over(output_dir)  # what a killed render's kernel wrote before it noticed


def _remove_left_over(output_dir: Path) -> None:
    """Removes what a render that was killed has left."""
    for folder in output_dir.glob(f"{_WORK}*"):
        process = folder.name.removeprefix(_WORK).partition("-")[0]
        if not (process.isdigit() and _is_running(int(process))):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)  # else it is somebody else's
    return True


def _write_html(toc_depth: int, markdown: str, document: Path, work: Path) -> Path:
    options = [
        "--to=html5",
        "--embed-resources",
        "--mathml",
        f"--css={_ASSETS}/preview.css",
        f"--css={_ASSETS}/figures.css",
        f"--include-after-body={_ASSETS}/page.html",
        "--toc",
        f"--toc-depth={toc_depth}",
    ]
    return _pandoc(markdown, document, work / "report.html", options)


def _write_pdf(markdown: str, document: Path, work: Path) -> Path:
    import typst

    options = [
        "--to=typst",
        "--extract-media=.",
        f"--template={_ASSETS}/preview.typ",
        f"--include-in-header={_ASSETS}/theme.typ",
    ]
    source = _pandoc(markdown, document, work / "report.typ", options)
    target = source.with_suffix(".pdf")
    try:
        typst.compile(str(source), output=str(target), root=str(work))
    except typst.TypstError as error:
        raise StudyError(f"Typst refused the PDF: {error}", where=document.name) from error
    return target


def _pandoc(markdown: str, document: Path, target: Path, options: Sequence[str]) -> Path:
    import pypandoc

    for name, folder in zip(_LINKS, (ASSETS, document.parent, ROOT), strict=True):
        with contextlib.suppress(FileExistsError):  # both formats are written at once
            (target.parent / name).symlink_to(folder)
    command = [
        pypandoc.get_pandoc_path(),
        "--from=markdown",
        "--standalone",
        "--number-sections",
        f"--metadata-file={_METADATA}",
        f"--lua-filter={_ASSETS}/russian.lua",
        f"--lua-filter={_ASSETS}/figures.lua",
        f"--lua-filter={_ASSETS}/numbers.lua",
        f"--lua-filter={_ASSETS}/preview.lua",
        "--citeproc",
        f"--resource-path={os.pathsep.join(('.', _DOCUMENT, _PROJECT))}",
        f"--output={target.name}",
        *options,
    ]
    body = HEADER.sub("", markdown, count=1)  # ``_metadata`` has merged its header already
    done = subprocess.run(
        command, input=body, cwd=target.parent, capture_output=True, text=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
    complaints = [row for row in done.stderr.splitlines() if row.strip()]
    if any(os.strerror(errno.ENOSPC) in row for row in complaints):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if done.returncode or complaints:
        raise StudyError("; ".join(complaints) or "pandoc failed", where=document.name)
    return target


def _metadata(settings: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """What pandoc, the filter and the templates need to know."""
    language = str(settings.get("lang", "en"))
    known = language[:2] if language[:2] in LANGUAGES else "en"
    words = dict(load_wording(known).texts["preview"])
    for key, value in (settings.get("crossref") or {}).items():
        if key.endswith(("-prefix", "-title")):
            words[key] = str(value)
    kept = {k: v for k, v in settings.items() if k not in ("project", "format", "execute")}
    if "date" in kept:
        kept["date"] = _date(str(kept["date"]), words)
    return {
        **kept,
        "lang": language,
        "toc-title": words["contents"],
        "abstract-title": words["abstract"],
        "link-citations": True,
        "preview": {"profile": profile, "words": words},
    }


def _date(value: str, words: Mapping[str, str]) -> str:
    """A date written out in the document's language; what is no ISO date stays as it is."""
    try:
        day = date.today() if value in ("today", "now") else date.fromisoformat(value)
    except ValueError:
        return value
    month = words["months"].split()[day.month - 1]
    return words["date"].format(day=day.day, month=month, year=day.year)
