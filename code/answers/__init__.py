"""All answers of a report, for its inline expressions.

``answers.cola.time`` in the document is the property ``time`` of ``costs``, which takes its numbers
from ``findings``, its outcome from ``judging`` and its words from ``phrases.toml``.
"""

from functools import cached_property

from answers.abstract import AbstractAnswers
from answers.cola import ColaAnswers
from answers.curves import CurveAnswers
from answers.drift import DriftAnswers
from answers.pos import PosAnswers
from answers.setup import SetupAnswers
from answers.states import StateAnswers
from answers.updates import UpdateAnswers
from answers.voice import Voice
from store.results import Results
from words.wording import Wording


class Answers:
    """The answers to the assignment's questions in one language, each as a property or a method."""

    def __init__(self, results: Results, words: Wording):
        self._voice = Voice(words)
        self.setup = SetupAnswers(results, self._voice)
        self.cola = ColaAnswers(results, self._voice, "cola")
        self.pos = PosAnswers(results, self._voice, "pos")
        self.drift = DriftAnswers(results, self._voice)
        self.updates = UpdateAnswers(results, self._voice)
        self.states = StateAnswers(results, self._voice)
        self.curves = CurveAnswers(results, self._voice)

    @cached_property
    def abstract(self) -> AbstractAnswers:
        """The abstract, which reads the other answers."""
        sources = (self.setup, self.cola, self.pos, self.drift, self.states, self.curves)
        return AbstractAnswers(self._voice, *sources)
