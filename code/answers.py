"""All answers of a report, for its inline expressions.

``answers.cola.time`` in the document is the property ``time`` in ``answers_methods``, which takes
its numbers from ``findings``, its outcome from ``judging`` and its words from ``phrases.toml``.
"""

from functools import cached_property

from answers_cola import ColaAnswers
from answers_curves import CurveAnswers
from answers_drift import DriftAnswers
from answers_pos import PosAnswers
from answers_setup import SetupAnswers
from phrases import Voice
from results import Study
from wording import Wording


class Answers:
    """The answers to the assignment's questions in one language."""

    def __init__(self, study: Study, words: Wording):
        self._study, self._voice = study, Voice(words)

    @cached_property
    def setup(self) -> SetupAnswers:
        """What was run."""
        return SetupAnswers(self._study, self._voice)

    @cached_property
    def cola(self) -> ColaAnswers:
        """Task 1."""
        return ColaAnswers(self._study, self._voice, "cola")

    @cached_property
    def pos(self) -> PosAnswers:
        """Task 2."""
        return PosAnswers(self._study, self._voice, "pos")

    @cached_property
    def drift(self) -> DriftAnswers:
        """Task 3: weights."""
        return DriftAnswers(self._study, self._voice)

    @cached_property
    def curves(self) -> CurveAnswers:
        """Task 3: learning curves."""
        return CurveAnswers(self._study, self._voice)
