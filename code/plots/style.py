"""The look of figures: sizes, palette and the one style that all of them share.

A method has one colour, marker and line style in every figure of a report. Colours follow Okabe and
Ito (2008), told apart by colour-blind readers, darkened to 3 : 1 on white; the first two also
differ most in lightness, and markers and lines differ too, so that a grey print stays readable.
Colours mark and never write: text is in ``INK``. On a dark page a style sheet replaces ink, paper,
grid and the colours of ``DARK`` inside the SVG.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap

WIDTH = 6.3  # inches: the text column of an A4 page
MAX_HEIGHT = 9.0  # inches: with its caption still on one page
FONT_SIZE = 9
SMALL = 8  # points: no text is smaller
INK = "#222222"
FAINT = "#6b6b6b"  # notes and reference lines; contrast 5.3 : 1 on white
GRID = "#dddddd"
PAPER = "#ffffff"
BAND_ALPHA = 0.18
UNCHANGED = "#bdbdbd"  # cells of a heatmap without a value
# For cells: monotone in lightness; without its ends, which would vanish on a white or a dark page.
SEQUENTIAL = ListedColormap(
    colormaps["viridis_r"](np.linspace(0.08, 0.86, 256)), name="cells"
).with_extremes(bad=UNCHANGED)

STYLE: Any = MappingProxyType(  # keys of matplotlib.rcParams
    {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib and has Cyrillic
        "font.size": FONT_SIZE,
        "axes.titlesize": FONT_SIZE,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "text.color": INK,
        "text.parse_math": False,  # a corpus may hold a dollar sign: text is never a formula
        "axes.facecolor": "none",
        **{f"{axis}tick.color": FAINT for axis in "xy"},
        **{f"{axis}tick.labelcolor": INK for axis in "xy"},
        **{f"{axis}tick.labelsize": SMALL for axis in "xy"},
        **{f"{axis}tick.major.size": 2.5 for axis in "xy"},
        **{f"{axis}tick.major.width": 0.7 for axis in "xy"},
        "axes.labelsize": SMALL,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "axes.formatter.useoffset": False,
        "legend.fontsize": SMALL,
        "legend.frameon": False,
        "legend.columnspacing": 1.2,
        "legend.handletextpad": 0.5,
        "lines.linewidth": 1.6,
        "lines.markersize": 4.5,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.h_pad": 0.04,
        "figure.constrained_layout.w_pad": 0.04,
        "hatch.linewidth": 0.6,
    }
)


@contextmanager
def report_style(**more: Any) -> Iterator[None]:
    """The style of the report and matplotlib's own defaults, whatever a user's settings say."""
    from matplotlib.style import context

    with context({**STYLE, **more}, after_reset=True):
        yield


@dataclass(frozen=True)
class MethodStyle:
    """How lines, points and bars of a method look."""

    color: str
    marker: str
    linestyle: Any


_NAMED: Mapping[str, MethodStyle] = MappingProxyType(
    {
        "full": MethodStyle("#005b96", "o", "-"),
        "lora": MethodStyle("#c97b00", "s", "-"),
        "frozen": MethodStyle("#777777", "^", (0, (4, 1.5))),
        "monolingual": MethodStyle("#00795a", "D", (0, (1, 1))),
        "prefix": MethodStyle("#b5568a", "v", (0, (5, 1, 1, 1))),
    }
)
_FURTHER = (
    MethodStyle("#d55e00", "P", (0, (3, 1))),
    MethodStyle("#2b8fd0", "X", (0, (6, 2))),
    MethodStyle("#8c564b", "<", (0, (2, 1))),
    MethodStyle("#5e3c99", ">", (0, (4, 1, 1, 1, 1, 1))),
    MethodStyle("#1b7837", "p", (0, (1, 2))),
)
_CONTROL = MethodStyle(INK, "|", ":")
DARK: Mapping[str, str] = MappingProxyType(  # colour -> the same on a dark page
    {
        "#005b96": "#4ea7e6",
        "#c97b00": "#f0a93b",
        "#777777": "#a3a9b0",
        "#00795a": "#33b68d",
        "#b5568a": "#df94bd",
        "#8c564b": "#c08f85",
        "#5e3c99": "#a98fe0",
        "#1b7837": "#5fb878",
    }
)


def method_styles(
    methods: Iterable[str], controls: Iterable[str] = ()
) -> Mapping[str, MethodStyle]:
    """Style of every method and control: its own where it has one, else the next free one."""
    unnamed = [name for name in dict.fromkeys(methods) if name not in _NAMED]
    further = {name: _FURTHER[n % len(_FURTHER)] for n, name in enumerate(unnamed)}
    return {**_NAMED, **further, **dict.fromkeys(controls, _CONTROL)}
