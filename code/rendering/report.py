"""What the chunks of a report call: one function each, which returns what the chunk shows.

Tables and texts reach the document as Markdown only: any HTML output makes Quarto load scripts from
a network.
"""

import ast
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from IPython.display import Markdown
from matplotlib.figure import Figure

from facts.fact import Fact
from facts.files import record
from plots.experiments import BEHIND
from rendering.explorer import build_explorer
from rendering.export import export_results
from rendering.figures import show_figure
from rendering.reproduction import describe_reproduction
from store.reading import load_results
from store.results import Results
from study.errors import StudyError
from study.paths import project_root
from tables import Context, Table, render
from text.answers import Answers
from text.sentence import load_speaker
from words.escaping import script_json


class Report:
    """The results of a profile, told in one language.

    Attributes:
        results: settings, facts and whatever else was stored.
        say: the sentences, by topic.
        words: names and formats of the language.
        numbers: writes facts, and knows which it has written.
    """

    def __init__(self, results: Results, language: str):
        speaker = load_speaker(language)
        self.results, self.say = results, Answers(results, speaker)
        self.words, self.numbers = speaker.words, speaker.numbers

    @cached_property
    def _context(self) -> Context:
        return Context(self.results, self.numbers)

    def table(
        self, specify: Callable[..., Table | Sequence[Table]], *about: Any
    ) -> Markdown | None:
        """A table by a function of ``tables``; nothing for an optional one without values."""
        text = render(specify(self._context, *about), self._context)
        return self.text(text) if text else None

    def text(self, markdown: str) -> Markdown:
        """A text that is Markdown already."""
        return Markdown(markdown)  # type: ignore[no-untyped-call]

    def figure(self, name: str, plot: Callable[..., Figure]) -> None:
        """A figure, which is also kept as files of this name."""
        show_figure(name, plot, self.results, self.words)

    def experiments(self, name: str, plot: Callable[..., Figure], task: str) -> None:
        """A figure of a task's experiments; nothing where it would be empty."""
        if BEHIND[plot](self.results, task):
            show_figure(name, plot, self.results, self.words, task)

    def explorer(self) -> Markdown | None:
        """The explorer; nothing where no run has finished."""
        if not self.results.runs:
            return None
        return self.text(build_explorer(self.results, self.words))

    def reproduction(self) -> Markdown:
        """What to type for this very report, and how to cite it."""
        return self.text(describe_reproduction(self.results, self.words))

    def export(self) -> None:
        """Writes ``facts.csv`` and ``results.json`` beside the report."""
        export_results(self.results)

    def shown_facts(self) -> Markdown:
        """The facts behind the numbers of the page: the last chunk, so that it has all."""
        return self.text(embed_facts(self.numbers.shown.values()))

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
    return Report(load_results(os.environ.get("QUARTO_PROFILE")), language)


def embed_facts(facts: Iterable[Fact]) -> str:
    """Facts as an inline script of JSON, id -> columns, for ``numbers.lua`` and ``page.js``."""
    records = {fact.id: {k: v for k, v in record(fact).items() if k != "id"} for fact in facts}
    script = f'<script type="application/json" id="shown-facts">{script_json(records)}</script>'
    return f"```{{=html}}\n{script}\n```"
