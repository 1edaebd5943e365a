"""A figure that is drawn only where its stored picture is out of date.

``plot_x(...)`` returns a ``Drawing``: what to draw, from which results. ``Drawing.identity`` is a
hash of everything that decides the picture, so that whoever keeps pictures knows which to redraw.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

from matplotlib.figure import Figure

from plots.style import report_style
from store.identity import code_of, digest, fingerprint
from store.results import Results
from words.wording import Wording

P = ParamSpec("P")
VISIBLE = ("plots", "names", "languages")  # sections of words that a figure can show


@dataclass(frozen=True)
class Drawing:
    """A figure to be drawn: the function that draws it, from which results and arguments."""

    plot: Callable[..., Figure]
    results: Results
    arguments: tuple[Any, ...]

    def draw(self) -> Figure:
        """The figure in the style of the report, whatever the global settings.

        Its label (``get_label``) is its alternative text.
        """
        with report_style():
            return self.plot(self.results, *self.arguments)

    @property
    def language(self) -> str:
        """The language of the words among its arguments, "" where there are none."""
        return next((a.language for a in self.arguments if isinstance(a, Wording)), "")

    @functools.cached_property
    def identity(self) -> str:
        """Hash of results, arguments, visible words, drawing code and libraries."""
        arguments = [
            [argument.language, [argument.texts.get(section) for section in VISIBLE]]
            if isinstance(argument, Wording)
            else argument
            for argument in self.arguments
        ]
        code = code_of(("plots",), ("matplotlib", "seaborn"))
        return digest([self.plot.__qualname__, arguments, fingerprint(self.results), code])


def deferred(plot: Callable[Concatenate[Results, P], Figure]) -> Callable[..., Drawing]:
    """Makes a function that draws return its ``Drawing`` instead; arguments go by position."""

    @functools.wraps(plot)
    def later(results: Results, *arguments: Any) -> Drawing:
        return Drawing(plot, results, arguments)

    return later
