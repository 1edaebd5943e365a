"""What a chunk imports: figures, the facts behind the page's numbers, and the export."""

import json
from collections.abc import Iterable

from IPython.display import Markdown, display

from facts.fact import Fact
from facts.files import record
from rendering.export import export_results as export_results
from rendering.figures import show_figure as show_figure
from words.numbers import Numbers


def show_facts(numbers: Numbers) -> None:
    """Embeds the facts behind the numbers of the page; the last chunk, so that it has all."""
    display(Markdown(embed_facts(numbers.shown.values())))  # type: ignore[no-untyped-call]


def embed_facts(facts: Iterable[Fact]) -> str:
    """Facts as an inline script of JSON, id -> columns, for ``numbers.lua`` and ``page.js``."""
    records = {fact.id: {k: v for k, v in record(fact).items() if k != "id"} for fact in facts}
    text = json.dumps(records, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")  # so that it cannot end the script that holds it
    script = f'<script type="application/json" id="shown-facts">{text}</script>'
    return f"```{{=html}}\n{script}\n```"
