"""A figure's files: the compact SVG is the same picture, and says what it said."""

import re
from pathlib import Path

import numpy as np
import typst
from matplotlib import pyplot as plt
from PIL import Image

from plots import saving

SAID = "Said: 0.12345 (0.67891) <!-- kept -->"


def draw(folder: Path) -> str:
    """An SVG as matplotlib writes it: text in two weights, markers, a clip, a colour map."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(5, 2.5))
    left.plot(np.linspace(0, 1, 50), np.random.default_rng(0).random(50), "o-", label="a line")
    left.plot([10, 20], [0.5, 0.6], "s", mfc="white", mec="#005b96")
    left.fill_between([0, 20, 40], [0.1] * 3, [0.2, 0.4, 0.3], color="#c97b00", alpha=0.3, lw=0)
    left.set_title("Überschrift, Заголовок", fontweight="bold")
    left.legend()
    right.pcolormesh(np.arange(9).reshape(3, 3), cmap="cividis")
    figure.savefig(folder / "plain.svg", metadata={"Date": None, "Description": SAID})
    plt.close(figure)
    return (folder / "plain.svg").read_text(encoding="utf-8")


def pixels(svg: str, folder: Path) -> np.ndarray:
    (folder / "x.svg").write_text(svg, encoding="utf-8")
    (folder / "x.typ").write_text('#set page(margin: 0pt)\n#image("x.svg", width: 100%)')
    typst.compile(str(folder / "x.typ"), output=str(folder / "x.png"), ppi=100.0)
    return np.asarray(Image.open(folder / "x.png").convert("L"), dtype=float)


def test_a_compact_picture_is_the_same_picture(tmp_path: Path) -> None:
    plain = draw(tmp_path)
    compact = saving.compact(plain, "x")
    assert len(compact) < 0.85 * len(plain)
    before = pixels(plain, tmp_path)
    assert before.std() > 10, "the picture is empty"

    def differing(svg: str) -> float:
        return float((np.abs(before - pixels(svg, tmp_path)) > 32).mean())

    # A hundredth of a point changes the shade of an edge here and there; a whole one is seen.
    whole_points = re.sub(r"(?<!scale\()\b(\d+)\.\d+(?=[ \"\n)])", r"\1", plain)
    assert differing(compact) < 2e-4 < 10 * 2e-4 < differing(whole_points)


def test_the_colours_of_a_mark_are_where_a_style_sheet_finds_them(tmp_path: Path) -> None:
    """A browser matches no rule inside what a ``use`` repeats: dark dots stayed dark."""
    compact = saving.compact(draw(tmp_path), "x")
    marks = re.findall(r'<path id="m[0-9a-f]{10}"[^>]*>', compact)
    assert len(marks) > 3 and not any("style" in mark for mark in marks)


def test_what_a_picture_says_and_refers_to_stays(tmp_path: Path) -> None:
    compact = saving.compact(draw(tmp_path), "x")
    assert "0.12345 (0.67891)" in compact and "kept" in compact
    names = re.findall(r' id="([^"]+)"', compact)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', compact))
    assert len(names) == len(set(names)) > 20
    assert used <= set(names) and len(set(names) - used) == 1  # its own
    assert saving.compact(draw(tmp_path), "y") != compact
