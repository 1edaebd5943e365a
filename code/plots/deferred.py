"""A figure that is drawn only where its stored picture is out of date.

``plot_x(...)`` returns a ``Drawing``: what to draw, from which results. ``Drawing.identity`` is a
hash of everything that decides the picture, so that whoever keeps pictures knows which to redraw.
"""

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from plots.style import STYLE
from store.results import Results
from words.wording import Wording

P = ParamSpec("P")
VISIBLE = ("plots", "names")  # sections of words that a figure can show


@dataclass(frozen=True)
class Drawing:
    """A figure to be drawn.

    Attributes:
        plot: the function that draws it.
        results: what it is drawn from.
        arguments: the function's other arguments.
    """

    plot: Callable[..., Figure]
    results: Results
    arguments: tuple[Any, ...]

    def draw(self) -> Figure:
        """The figure in the style of the report, whatever the global settings.

        Its label (``get_label``) is its alternative text.
        """
        with plt.rc_context(STYLE):
            return self.plot(self.results, *self.arguments)

    @functools.cached_property
    def identity(self) -> str:
        """Hash of results, arguments, visible words, drawing code and libraries."""
        arguments = [
            [argument.language, [argument.texts.get(section) for section in VISIBLE]]
            if isinstance(argument, Wording)
            else argument
            for argument in self.arguments
        ]
        parts = [self.plot.__qualname__, arguments, _fingerprint(_Same(self.results)), _code()]
        return _digest(parts)


def deferred(plot: Callable[Concatenate[Results, P], Figure]) -> Callable[..., Drawing]:
    """Makes a function that draws return its ``Drawing`` instead; arguments go by position."""

    @functools.wraps(plot)
    def later(results: Results, *arguments: Any) -> Drawing:
        return Drawing(plot, results, arguments)

    return later


class _Same:
    """Results by identity: frames have no hash, and a study is read once."""

    def __init__(self, results: Results):
        self.results = results

    def __hash__(self) -> int:
        return id(self.results)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.results is other.results


@functools.lru_cache(maxsize=2)
def _fingerprint(same: _Same) -> str:
    results = same.results
    return _digest([getattr(results, field.name) for field in fields(results)])


@functools.lru_cache(maxsize=1)
def _code() -> str:
    sources = [
        path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))
    ]
    return _digest([sources, version("matplotlib"), version("seaborn")])


def _digest(value: Any) -> str:
    text = json.dumps(value, default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return value.to_json(orient="split", double_precision=15)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return repr(value)
