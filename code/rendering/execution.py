"""Runs the chunks of a document in one kernel and stitches what they show into Markdown."""

import base64
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rendering.document import INLINE, Chunk, Piece, Prose
from study.errors import StudyError

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]()>#+,\-.!])")  # Quarto's own list
_FIGURE_FORMATS = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
_SETUP = "import matplotlib_inline.backend_inline as b; b.set_matplotlib_formats('svg'); del b"


def execute(pieces: Sequence[Piece], document: Path, profile: str, work: Path) -> str:
    """Runs the chunks in one kernel, figures to ``work/media``, and stitches the Markdown together.

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
    # jsonschema, below nbclient, would build a grammar of IRIs that nobody asks for: three seconds.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    manager = AsyncKernelManager(
        # Without folders it knows this interpreter's own kernel: a registered one may belong to
        # another environment.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(work / "kernel.json"),
        transport_encryption="auto",
    )
    setup = new_code_cell(_SETUP)
    client = NotebookClient(
        new_notebook(cells=[setup]), km=manager, timeout=None, shutdown_kernel="immediate"
    )
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
    matches = list(INLINE.finditer(prose.text))
    if not matches:
        return prose.text
    expressions = {str(i): match[1].strip() for i, match in enumerate(matches)}
    reply = client.wait_for_reply(client.kc.execute("", user_expressions=expressions))
    results = reply["content"]["user_expressions"]
    values = []
    for i, match in enumerate(matches):
        result = results[str(i)]
        if result["status"] == "error":
            line = prose.line + prose.text[: match.start()].count("\n")
            place = f"inline expression {match[1].strip()!r}"
            raise _failure(place, f"{name}:{line}", result["ename"], result["evalue"])
        values.append(_inline_text(result["data"]))
    return INLINE.sub(lambda _: values.pop(0), prose.text)


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
            path, svg = stem.with_suffix(f".{suffix}"), suffix == "svg"
            path.write_bytes(data[mime].encode() if svg else base64.b64decode(data[mime]))
            alt = str(options.get("fig-alt") or options.get("fig-cap") or "")
            return f"![](media/{path.name}){{alt={json.dumps(alt, ensure_ascii=False)}}}"
    if "text/markdown" in data:
        return data["text/markdown"]
    if "text/html" in data:
        return f"```{{=html}}\n{data['text/html']}\n```"
    return _fenced(data["text/plain"], ".output") if "text/plain" in data else ""


def _fenced(text: str, kind: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{{.{kind.lstrip('.')}}}\n{text}\n{fence}"
