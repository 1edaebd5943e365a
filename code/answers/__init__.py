"""All answers of a report, for its inline expressions.

``answers.cola.time`` in the document is the property ``time`` in ``answers_methods``, which takes
its numbers from ``findings``, its outcome from ``judging`` and its words from ``phrases.toml``.
"""

from functools import cached_property

from answers.cola import ColaAnswers
from answers.curves import CurveAnswers
from answers.drift import DriftAnswers
from answers.pos import PosAnswers
from answers.setup import SetupAnswers
from answers.voice import Voice
from store.results import Results
from words.wording import Wording


class Answers:
    """The answers to the assignment's questions in one language."""

    def __init__(self, results: Results, words: Wording):
        self._results, self._voice = results, Voice(words)

    @cached_property
    def setup(self) -> SetupAnswers:
        """What was run."""
        return SetupAnswers(self._results, self._voice)

    @cached_property
    def cola(self) -> ColaAnswers:
        """Task 1."""
        return ColaAnswers(self._results, self._voice, "cola")

    @cached_property
    def pos(self) -> PosAnswers:
        """Task 2."""
        return PosAnswers(self._results, self._voice, "pos")

    @cached_property
    def drift(self) -> DriftAnswers:
        """Task 3: weights."""
        return DriftAnswers(self._results, self._voice)

    @cached_property
    def curves(self) -> CurveAnswers:
        """Task 3: learning curves."""
        return CurveAnswers(self._results, self._voice)
