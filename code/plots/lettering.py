"""The words of a figure: names and values, legend, notes, and the alternative text."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from evidence.schema import Estimate
from plots.drawing import IN_PERCENT, styles_of, visible_interval
from plots.style import BAND_ALPHA, FAINT, INK, SMALL, WIDTH
from store.results import Results
from words.wording import Wording

NARROW_CHARACTERS = 19  # of a title over a third of the width
LONGEST = 26  # letters of a name from a corpus: a longer one is cut, or it would fill the figure
Look = Literal["lines", "marks", "both"]  # of a method in a legend
HANDLE = 0.46  # inches: what a legend's entry needs beside its letters


def finish(
    figure: Figure, handles: Sequence[Any], notes: Iterable[str], said: Iterable[str]
) -> Figure:
    """The figure with its legend, notes under all axes and alternative text; none that is empty."""
    if handles:
        add_legend(figure, handles)
    if note := _join(notes):
        lines = wrap_text(note, WIDTH - 0.15)
        figure.supxlabel(lines, x=0.01, ha="left", fontsize=SMALL, color=FAINT)
    figure.set_label(_join(said))
    return figure


def _join(sentences: Iterable[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def sentence(words: Wording, what: str, pairs: Iterable[tuple[str, str]]) -> str:
    """``What: name value; name value.`` for an alternative text; empty without pairs."""
    if values := "; ".join(f"{name} {value}" for name, value in pairs):
        return words.say("plots", "alt_sentence", what=capitalise(what), values=values)
    return ""


def say_estimates(words: Wording, what: str, metric: str, estimates: Mapping[str, Estimate]) -> str:
    """The estimates of a metric by method as a sentence."""
    shown = {method: show_estimate(words, metric, found) for method, found in estimates.items()}
    return sentence(words, what, ((words.name(method), text) for method, text in shown.items()))


def show_value(words: Wording, metric: str, value: float | None, digits: int = 3) -> str:
    """A value of a metric as a figure writes it: per cent, or a number with so many digits."""
    return words.percent(value, 1) if metric in IN_PERCENT else words.number(value, digits)


def show_estimate(words: Wording, metric: str, estimate: Estimate) -> str:
    """Value and interval of an ESTIMATE, for an alternative text."""
    low, high = estimate["low"], estimate["high"]
    value = show_value(words, metric, estimate["value"])
    if low is None or high is None:
        return value
    scale, digits = (100, 1) if metric in IN_PERCENT else (1, 3)
    return f"{value} {words.interval(scale * low, scale * high, digits)}"


def method_handles(
    results: Results, words: Wording, methods: Iterable[str], look: Look
) -> list[Any]:
    """Legend entries of methods, as they look in the figure."""
    handles = []
    for method in methods:
        style = styles_of(results)[method]
        line = "" if look == "marks" else style.linestyle
        marker = "" if look == "lines" else style.marker
        name = words.name(method)
        handles.append(Line2D([], [], color=style.color, ls=line, marker=marker, label=name))
    return handles


def model_handles(
    results: Results,
    words: Wording,
    models: Iterable[tuple[str, str]],
    look: Look,
    frame: pd.DataFrame,
    *others: Any,
) -> list[Any]:
    """Legend entries of the methods of models, of ``others``, and of the band of ``draw_seeds``."""
    handles = method_handles(results, words, dict.fromkeys(m for _, m in models), look)
    band = Patch(color=FAINT, alpha=BAND_ALPHA * 1.6, lw=0, label=words.say("plots", "band"))
    return [*handles, *others, *([band] if frame.seed.nunique() > 1 else [])]


def shared_handle(words: Wording, key: str, **look: Any) -> Line2D:
    """Legend entry of a line or mark that all methods have: grey unless it looks otherwise."""
    return Line2D([], [], **{"color": FAINT, **look}, label=words.say("plots", key))


def estimate_handles(words: Wording, estimates: Iterable[Estimate]) -> list[Any]:
    """Legend entries of the intervals and seed dots that ``draw_estimate`` shows for these."""
    shown = [estimate for estimate in estimates if estimate["low_items"] is not None]
    several = any(len(estimate["per_seed"]) > 1 for estimate in shown)
    inner = shared_handle(words, "items", lw=2.4)
    outer = shared_handle(words, "items_and_seeds", lw=0.9)
    dots = shared_handle(words, "one_seed", color=INK, ls="", marker="o", ms=1.8)
    return [*([inner] if shown else []), *([outer, dots] if several else [])]


def cut_note(words: Wording, estimates: Iterable[Estimate]) -> str:
    """What the arrowheads of ``draw_estimate`` mean; empty where there are none."""
    for estimate in estimates:
        if visible_interval(estimate) not in (None, (estimate["low"], estimate["high"])):
            return words.say("plots", "cut_note")
    return ""


def add_legend(figure: Figure, handles: Sequence[Any]) -> None:
    """One legend above all axes, in as few rows as the width allows."""
    widths = [HANDLE + text_width(handle.get_label()) for handle in handles]
    columns = next(n for n in range(len(handles), 0, -1) if n == 1 or _fits(widths, n))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def _fits(widths: Sequence[float], columns: int) -> bool:
    # matplotlib fills a legend column by column, the first columns one entry longer.
    parts = [part for part in np.array_split(np.array(widths), columns) if len(part)]
    return sum(float(part.max()) for part in parts) <= WIDTH


def wrap_text(text: str, width: float) -> str:
    """A small text in lines of at most so many inches; a longer word has a line of its own."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def text_width(text: str) -> float:
    """Inches that a small text takes in the figures' font."""
    font = get_font(findfont("DejaVu Sans"))
    font.set_size(SMALL, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64 / 72


def wrap_label(text: str, characters: int) -> str:
    """A label of an axis in lines of so many characters."""
    return textwrap.fill(text, characters)


def shorten(text: str) -> str:
    """A name that a corpus may have made arbitrarily long, cut to what a figure can hold."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def capitalise(text: str) -> str:
    """The text with a capital at its head; ``str.capitalize`` would lower the rest."""
    return text[:1].upper() + text[1:]


def evaluation_label(words: Wording, evaluation: str, language: str) -> str:
    """``German (de_gsd, test)`` for ``de_gsd:test``."""
    corpus, split = evaluation.split(":")
    parts = {"language": language, "corpus": corpus, "split": split}
    names = {part: words.name(value) for part, value in parts.items()}
    return capitalise(words.say("plots", "evaluation", **names))
