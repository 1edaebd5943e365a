"""All sentences of a report in one language, by topic: what its inline expressions ask for."""

from dataclasses import dataclass
from functools import cached_property

from store.results import Results
from text.calibration import CalibrationSentences
from text.costs import CostSentences
from text.sentence import Speaker, load_speaker
from text.view import TaskView


@dataclass(frozen=True)
class Answers:
    """The sentences, one attribute a topic."""

    results: Results
    speak: Speaker

    @cached_property
    def cola_costs(self) -> CostSentences:
        """What the methods cost on CoLA."""
        return CostSentences(TaskView(self.results, "cola"), self.speak)

    @cached_property
    def pos_costs(self) -> CostSentences:
        """What the methods cost in tagging."""
        return CostSentences(TaskView(self.results, "pos"), self.speak)

    @cached_property
    def calibration(self) -> CalibrationSentences:
        """How often the verdicts are false."""
        return CalibrationSentences(self.results.facts, self.speak)


def load_answers(results: Results, language: str) -> Answers:
    """The sentences of a report in a language."""
    return Answers(results, load_speaker(language))
