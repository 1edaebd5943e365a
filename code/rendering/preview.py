"""The report without a Quarto binary: the same ``.qmd``, executed once, as HTML and as PDF.

The way of the document: the ``.qmd`` is split into prose and chunks -> a kernel of this very
interpreter runs the chunks in order (nbclient) -> what they show is stitched back into Markdown ->
pandoc with ``preview.lua`` (numbers, references, conditional content, tabs) writes one HTML file
and a Typst source, which the typst binding compiles.

Honoured chunk options: ``label``, ``fig-cap``, ``tbl-cap``, ``fig-alt``, ``echo``, ``eval``,
``output``, ``include``, ``code-fold``, ``layout-ncol``; defaults come from ``_quarto.yml``, its
profile and the document's header, in this order. Left out: Quarto's themes, lightbox, callout
icons, sub-figures, shortcodes, formats other than these two. Quarto stays the reference.
"""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from study.errors import StudyError

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "fig": "Figure",
        "tbl": "Table",
        "sec": "Section",
        "contents": "Contents",
        "abstract": "Abstract",
        "references": "References",
        "code": "Code",
        "date": "{month} {day}, {year}",
        "months": "January February March April May June July August September October "
        "November December",
    },
    "ru": {
        "fig": "Рисунок",
        "tbl": "Таблица",
        "sec": "Раздел",
        "contents": "Содержание",
        "abstract": "Аннотация",
        "references": "Литература",
        "code": "Код",
        "date": "{day} {month} {year} г.",
        "months": "января февраля марта апреля мая июня июля августа сентября октября "
        "ноября декабря",
    },
}

ROOT = Path(__file__).resolve().parents[2]  # where page.html finds its scripts
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_INLINE = re.compile(r"(?<!`)`\{python\}[ \t]+([^`]+)`")
_HEADER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*\n", re.DOTALL)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]()>#+,\-.!])")  # Quarto's own list
_FIGURE_FORMATS = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
_SETUP = "import matplotlib_inline.backend_inline as b; b.set_matplotlib_formats('svg'); del b"


@dataclass(frozen=True)
class Prose:
    """Markdown between chunks.

    Attributes:
        text: the Markdown, inline expressions included.
        line: its first line in the document, 1-based.
    """

    text: str
    line: int


@dataclass(frozen=True)
class Chunk:
    """One executable chunk.

    Attributes:
        source: the code, its ``#|`` lines included.
        line: the line of the code's first line in the document, 1-based.
        options: the chunk's own options over the document's defaults.
    """

    source: str
    line: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The chunk's label, or "" where it has none."""
        return str(self.options.get("label", ""))

    @property
    def code(self) -> str:
        """The code without its option lines."""
        return re.sub(r"\A(#\|.*(\n|\Z))*", "", self.source).strip("\n")


Piece = Prose | Chunk


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
            target, the document or its options cannot be read, Typst refuses the result.
    """
    document = document.resolve()
    text = _read(document)
    settings = read_settings(document, text, profile)
    pieces = parse(text, document.name, settings.get("execute") or {})
    output_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".render-", dir=output_dir) as folder:
        work = Path(folder).resolve()
        (work / "media").mkdir()
        markdown = execute(pieces, document, profile, work)
        html = _write_html(markdown, settings, document, profile, work)
        pdf = _write_pdf(markdown, settings, document, profile, work)
        for path in (html, pdf):
            path.replace(output_dir / f"{document.stem}{path.suffix}")


# ------------------------------------------------------------------------------------- reading


def read_settings(document: Path, text: str, profile: str) -> dict[str, Any]:
    """Merges ``_quarto.yml``, ``_quarto-<profile>.yml`` and the document's header (last wins)."""
    settings: dict[str, Any] = {}
    for name in ("_quarto.yml", f"_quarto-{profile}.yml"):
        path = document.parent / name
        if path.is_file():
            settings = _merge(settings, _yaml(_read(path), name))
    header = _HEADER.match(text)
    return _merge(settings, _yaml(header.group(1), document.name, 1) if header else {})


def parse(text: str, name: str, defaults: Mapping[str, Any]) -> list[Piece]:
    """Splits a document into prose and chunks.

    Args:
        text: the document.
        name: its name, for messages.
        defaults: the document's ``execute`` options.

    Raises:
        StudyError: options are no YAML mapping, a label is used twice, a block has no end.
    """
    lines = text.split("\n")
    pieces: list[Piece] = []
    seen: dict[str, int] = {}
    position = 0
    for opening, closing in _chunk_spans(lines, name):
        pieces.append(Prose("\n".join(lines[position:opening]), position + 1))
        chunk = _chunk(lines[opening + 1 : closing], opening + 2, name, defaults)
        if chunk.label and chunk.label in seen:
            raise StudyError(
                f"the label {chunk.label!r} is already used in line {seen[chunk.label]}",
                where=f"{name}:{chunk.line}",
                remedy="give each chunk a label of its own",
            )
        seen[chunk.label] = chunk.line
        pieces.append(chunk)
        position = closing + 1
    pieces.append(Prose("\n".join(lines[position:]), position + 1))
    return pieces


def _chunk_spans(lines: Sequence[str], name: str) -> Iterator[tuple[int, int]]:
    """Index of the opening and the closing fence of each chunk; other fenced blocks are skipped."""
    fence, opening, is_chunk = "", 0, False
    for number, row in enumerate(lines):
        match = _FENCE.match(row)
        if match is None:
            continue
        marks, rest = match[1], match[2].strip()
        if not fence:
            fence, opening, is_chunk = marks, number, rest == "{python}"
        elif marks.startswith(fence) and not rest:
            if is_chunk:
                yield opening, number
            fence = ""
    if fence:
        raise StudyError(
            f"the block that {fence} opens is never closed", where=f"{name}:{opening + 1}"
        )


def _chunk(lines: Sequence[str], line: int, name: str, defaults: Mapping[str, Any]) -> Chunk:
    options = list(takewhile(lambda row: row.startswith("#|"), lines))
    own = _yaml("\n".join(row[2:] for row in options), name, line - 1)
    return Chunk("\n".join(lines), line, {**defaults, **own})


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot be read: {error}", where=str(path)) from error


def _yaml(text: str, name: str, lines_before: int = 0) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = lines_before + (mark.line if mark else 0) + 1
        problem = getattr(error, "problem", None) or str(error)
        raise StudyError(
            f"expected YAML, but {problem}",
            where=f"{name}:{line}",
            remedy="quote a value that contains a colon, a bracket or a quotation mark",
        ) from error
    if not isinstance(values, dict):
        raise StudyError(
            f"expected 'name: value' lines, got {values!r}", where=f"{name}:{lines_before + 1}"
        )
    return values


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


# ----------------------------------------------------------------------------------- executing


def execute(pieces: Sequence[Piece], document: Path, profile: str, work: Path) -> str:
    """Runs the chunks in one kernel and stitches the document's Markdown together.

    Args:
        pieces: what ``parse`` returned.
        document: for messages; the kernel runs in its folder.
        profile: the kernel's ``QUARTO_PROFILE``.
        work: figures go to its folder ``media``.

    Raises:
        StudyError: a chunk or an inline expression fails, or the kernel dies.
    """
    markdown = []
    with _kernel(document.parent, profile, work) as client:
        for number, piece in enumerate(pieces):
            if isinstance(piece, Prose):
                markdown.append(_fill_in(piece, client, document.name))
            else:
                outputs = _run(piece, client, document.name)
                markdown.append(_stitch(piece, outputs, work / "media", number))
    return "\n\n".join(markdown)


@contextmanager
def _kernel(root: Path, profile: str, work: Path) -> Iterator[Any]:
    """A client with a running kernel of this interpreter, apart from the user's Jupyter."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    class ThisInterpreter(KernelSpecManager):
        """Knows one kernel: a registered one may belong to another environment."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(
                argv=command,
                language="python",
                display_name=kernel_name,
                metadata={"supported_encryption": "curve"},
            )

    manager = AsyncKernelManager(
        kernel_spec_manager=ThisInterpreter(),
        connection_file=str(work / "kernel.json"),
        transport_encryption="auto",
    )
    setup = new_code_cell(_SETUP)
    client = NotebookClient(new_notebook(cells=[setup]), km=manager, timeout=None)
    environment = {
        **os.environ,
        "QUARTO_PROFILE": profile,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(work / "ipython"),
    }
    with client.setup_kernel(cwd=str(root), env=environment, cleanup_kc=True):
        client.execute_cell(setup, 0)
        yield client


def _run(chunk: Chunk, client: Any, name: str) -> list[dict[str, Any]]:
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from nbformat.v4 import new_code_cell

    if not chunk.options.get("eval", True):
        return []
    cell = new_code_cell(chunk.source)
    client.nb.cells.append(cell)
    place = f"chunk {chunk.label!r}" if chunk.label else "chunk without a label"
    try:
        client.execute_cell(cell, len(client.nb.cells) - 1)
    except CellExecutionError as error:
        line = chunk.line + _failing_line(error.traceback) - 1
        raise _failure(place, f"{name}:{line}", error.ename, error.evalue) from error
    except DeadKernelError as error:
        raise StudyError(
            f"{place}: the kernel died",
            where=f"{name}:{chunk.line}",
            remedy="mostly the machine's memory was exhausted: close other programs, try again",
        ) from error
    return list(cell.outputs)


def _failing_line(traceback: str) -> int:
    """The line inside the cell, from IPython's traceback; 1 where it does not say."""
    found = re.search(r"Cell In\[\d+\], line (\d+)", _ANSI.sub("", traceback))
    return int(found[1]) if found else 1


def _failure(place: str, where: str, kind: str, message: str) -> StudyError:
    plain = _ANSI.sub("", message).strip()
    said = plain if kind == "StudyError" else f"{kind}: {plain}"
    return StudyError(f"{place} failed. {said}", where=where)


def _fill_in(prose: Prose, client: Any, name: str) -> str:
    """Replaces the inline expressions by their values."""
    matches = list(_INLINE.finditer(prose.text))
    if not matches:
        return prose.text
    expressions = {str(i): match[1].strip() for i, match in enumerate(matches)}
    reply = client.wait_for_reply(client.kc.execute("", user_expressions=expressions))
    results = reply["content"]["user_expressions"]
    for i, match in enumerate(matches):
        result = results[str(i)]
        if result["status"] == "error":
            where = f"{name}:{prose.line + _line(prose.text, match.start()) - 1}"
            place = f"inline expression {match[1].strip()!r}"
            raise _failure(place, where, result["ename"], result["evalue"])
    values = iter(_inline_text(results[str(i)]["data"]) for i in range(len(matches)))
    return _INLINE.sub(lambda _: next(values), prose.text)


def _inline_text(data: Mapping[str, str]) -> str:
    """As Quarto does it: Markdown stays, a string loses its quotes and is taken literally."""
    if "text/markdown" in data:
        return data["text/markdown"]
    plain = data["text/plain"]
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"":
        return _MARKDOWN_SPECIAL.sub(r"\\\1", plain[1:-1])
    return plain


# ----------------------------------------------------------------------------------- stitching


def _stitch(chunk: Chunk, outputs: Sequence[Mapping[str, Any]], media: Path, number: int) -> str:
    """A chunk's Markdown: its code where it is shown, then its outputs, as a float if labelled."""
    options = chunk.options
    if not options.get("include", True):
        return ""
    parts = []
    if options.get("echo", True):
        fold = json.dumps(options.get("code-fold", "default"))
        parts.append(f"::: {{.cell-code fold={fold}}}\n{_fenced(chunk.code, 'python')}\n:::")
    shown = options.get("output", True)
    if shown:
        blocks = [
            text
            for i, output in enumerate(outputs)
            if (text := _output(output, shown, media / f"{number:03d}-{i}", options))
        ]
        parts.append(_float(chunk, "\n\n".join(blocks)) if blocks else "")
    return "\n\n".join(parts)


def _float(chunk: Chunk, body: str) -> str:
    options = chunk.options
    columns = options.get("layout-ncol")
    if columns:
        body = f":::: {{layout-ncol={int(columns)}}}\n{body}\n::::"
    kind = chunk.label.split("-", 1)[0]
    caption = options.get(f"{kind}-cap") if kind in ("fig", "tbl") else None
    if caption is None:
        return body
    return f"::::: {{#{chunk.label}}}\n{body}\n\n{str(caption).strip()}\n:::::"


def _output(output: Mapping[str, Any], shown: Any, stem: Path, options: Mapping[str, Any]) -> str:
    if output["output_type"] == "stream":
        if output["name"] == "stderr":  # ``warning: false`` of _quarto.yml
            return ""
        return output["text"] if shown == "asis" else _fenced(output["text"].rstrip(), ".output")
    data = output.get("data", {})
    for mime, suffix in _FIGURE_FORMATS.items():
        if mime in data:
            path = _save(data[mime], stem.with_suffix(f".{suffix}"), mime)
            alt = str(options.get("fig-alt") or options.get("fig-cap") or "")
            return f"![](media/{path.name}){{alt={json.dumps(alt, ensure_ascii=False)}}}"
    if "text/markdown" in data:
        return data["text/markdown"]
    if "text/html" in data:
        return f"```{{=html}}\n{data['text/html']}\n```"
    return _fenced(data["text/plain"], ".output") if "text/plain" in data else ""


def _save(content: str, path: Path, mime: str) -> Path:
    if mime == "image/svg+xml":
        path.write_text(content, encoding="utf-8")
    else:
        path.write_bytes(base64.b64decode(content))
    return path


def _fenced(text: str, kind: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{{.{kind.lstrip('.')}}}\n{text}\n{fence}"


# ------------------------------------------------------------------------------------- writing


def _write_html(
    markdown: str, settings: Mapping[str, Any], document: Path, profile: str, work: Path
) -> Path:
    options = [
        "--to=html5",
        "--embed-resources",
        "--mathml",
        f"--css={_asset('preview.css')}",
        f"--css={_asset('figures.css')}",
        f"--include-after-body={_asset('page.html')}",
        f"--toc-depth={_toc_depth(settings, 'html')}",
    ]
    return _pandoc(markdown, settings, document, profile, work / "report.html", options)


def _write_pdf(
    markdown: str, settings: Mapping[str, Any], document: Path, profile: str, work: Path
) -> Path:
    import typst

    options = [
        "--to=typst",
        "--extract-media=.",
        f"--template={_asset('preview.typ')}",
        f"--toc-depth={_toc_depth(settings, 'typst')}",
    ]
    source = _pandoc(markdown, settings, document, profile, work / "report.typ", options)
    target = source.with_suffix(".pdf")
    try:
        typst.compile(str(source), output=str(target), root=str(work))
    except typst.TypstError as error:
        raise StudyError(f"Typst refused the PDF: {error}", where=document.name) from error
    return target


def _pandoc(
    markdown: str,
    settings: Mapping[str, Any],
    document: Path,
    profile: str,
    target: Path,
    options: Sequence[str],
) -> Path:
    import pypandoc

    metadata = target.with_suffix(".json")
    metadata.write_text(json.dumps(_metadata(settings, profile), default=str), encoding="utf-8")
    command = [
        pypandoc.get_pandoc_path(),
        "--from=markdown",
        "--standalone",
        "--number-sections",
        "--toc",
        f"--metadata-file={metadata}",
        f"--lua-filter={_asset('figures.lua')}",
        f"--lua-filter={_asset('preview.lua')}",
        "--citeproc",
        f"--resource-path={os.pathsep.join(map(str, (target.parent, document.parent, ROOT)))}",
        f"--output={target}",
        *options,
    ]
    done = subprocess.run(
        command, input=_body(markdown), cwd=target.parent, capture_output=True, text=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
    complaints = [row for row in done.stderr.splitlines() if row.strip()]
    if done.returncode or complaints:
        raise StudyError("; ".join(complaints) or "pandoc failed", where=document.name)
    return target


def _toc_depth(settings: Mapping[str, Any], output: str) -> int:
    return int(((settings.get("format") or {}).get(output) or {}).get("toc-depth", 3))


def _body(markdown: str) -> str:
    """The Markdown without its header, which ``_metadata`` has merged already."""
    return _HEADER.sub("", markdown, count=1)


def _metadata(settings: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """What pandoc, the filter and the templates need to know."""
    language = str(settings.get("lang", "en"))
    words = dict(WORDS.get(language[:2], WORDS["en"]))
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


def _asset(name: str) -> Path:
    return Path(__file__).resolve().with_name(name)
