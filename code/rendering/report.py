"""What the chunks of a report call: one function each, which returns what the chunk shows.

Tables and texts reach the document as Markdown only: any HTML output makes Quarto load scripts from
a network.
"""

import ast
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from IPython.display import Markdown
from matplotlib.figure import Figure

from answers import Answers
from facts.table import Facts
from rendering.figures import show_figure
from store.reading import load_results
from store.results import Results
from study.errors import StudyError
from study.paths import project_root
from tables import Context, Table, render
from words.numbers import Numbers
from words.wording import Wording, load_wording


class Report:
    """The results of a profile, told in one language.

    Attributes:
        results: settings, facts and whatever else was stored.
        words: the language.
        numbers: writes facts, and knows which it has written.
        answers: the sentences.
    """

    def __init__(self, results: Results, words: Wording):
        self.results, self.words = results, words
        self.numbers = Numbers(words)
        self.answers = Answers(results, words)

    @property
    def facts(self) -> Facts:
        """Everything that was measured."""
        return self.results.facts

    @cached_property
    def _context(self) -> Context:
        return Context(self.results, self.numbers)

    def table(self, specify: Callable[..., Table | Sequence[Table]], *about: Any) -> Markdown:
        """A table.

        Args:
            specify: a function of ``tables``.
            about: what it takes beside the context, such as the name of a task.
        """
        return self.text(render(specify(self._context, *about), self._context))

    def text(self, markdown: str) -> Markdown:
        """A text that is Markdown already."""
        return Markdown(markdown)  # type: ignore[no-untyped-call]

    def figure(self, name: str, plot: Callable[..., Figure]) -> None:
        """A figure, which is also kept as files of this name."""
        show_figure(name, plot, self.results, self.words)

    def source(self, room: str, function: str) -> Markdown:
        """The lines of a room's function that compute, read from its file and never imported.

        Its docstring is left out: the text around says the same.

        Raises:
            StudyError: the room has no such function.
        """
        for file in sorted((project_root() / "code" / room).glob("*.py")):
            text = file.read_text(encoding="utf-8")
            for node in ast.parse(text).body:
                if isinstance(node, ast.FunctionDef) and node.name == function:
                    source = ast.get_source_segment(text, node) or ""
                    if ast.get_docstring(node) is not None:
                        whole = ast.get_source_segment(text, node.body[0]) or ""
                        source = source.replace(f"    {whole}\n", "", 1)
                    return self.text(f"```python\n{source}\n```")
        raise StudyError(f"there is no function {function!r} to show", where=f"code/{room}")


def open_report(language: str) -> Report:
    """The report of the profile that ``QUARTO_PROFILE`` names, in a language.

    Raises:
        StudyError: the language is unknown, or nothing was run with the present settings.
    """
    return Report(load_results(os.environ.get("QUARTO_PROFILE")), load_wording(language))
