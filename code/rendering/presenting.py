"""What a chunk hands to the document: a table as Markdown, a figure that is also kept as files.

Tables reach the document as Markdown only: any HTML output makes Quarto load scripts from a
network. Every figure is written to ``figures/`` as SVG and PNG under the name of its chunk.
"""

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.display import Markdown, display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from store.results import Results
from study.paths import figures_folder, output_folder

PNG_RESOLUTION = 160  # dots an inch


def show_table(markdown: str) -> None:
    """Shows a pipe table (or any Markdown) in the document."""
    display(Markdown(markdown))  # type: ignore[no-untyped-call]


def show_figure(name: str, figure: Figure, folder: Path | None = None) -> None:
    """Keeps a figure as ``<folder>/<name>.svg`` and ``.png`` and shows it."""
    folder = folder or figures_folder()
    folder.mkdir(parents=True, exist_ok=True)
    # Without a date and with fixed ids, the same figure is the same file.
    with plt.rc_context({"svg.hashsalt": name}):
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", dpi=PNG_RESOLUTION)
    plt.show()
    plt.close(figure)


def export_results(results: Results, folder: Path | None = None) -> Path:
    """Writes every number of the report to ``results.json``; NaN becomes null."""
    folder = folder or output_folder(results.profile.name)
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {"profile": asdict(results.profile)}
    for name, value in vars(results).items():
        if name not in ("profile", "items"):
            content[name] = _plain(value)
    file = folder / "results.json"
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")
    return file


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return json.loads(value.to_json(orient="records", double_precision=15))
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
