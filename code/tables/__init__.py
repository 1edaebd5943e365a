"""Every table of the report.

A table is a function that takes a ``Context`` and returns a ``Table``: its rows, its columns and
how each finds its facts, its notes (``tables.specification``). ``render`` makes Markdown of any of
them. All visible words come from ``words/texts/<language>/tables.toml``, all numbers from
``words.numbers``; nothing is measured or estimated here.
"""

from tables.errors import drop_causes, seqeval_trap, wrong_examples
from tables.experiments import experiments
from tables.literature import literature
from tables.overview import key_numbers
from tables.quality import acceptability, comparisons, tagging
from tables.rendering import render
from tables.requirements import requirements
from tables.setup import environment, missing, setup
from tables.specification import Context, Table
from tables.training import convergence, costs
from tables.weights import drift, forgetting, restoration
