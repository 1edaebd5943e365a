"""All sentences of a report in one language, by topic: what its inline expressions ask for."""

from dataclasses import dataclass
from functools import cached_property

from store.results import Results
from text.causes import CauseSentences
from text.costs import CostSentences
from text.reasons import ReasonSentences
from text.sentence import Speaker, load_speaker
from text.tags import TagSentences
from text.transfer import TransferSentences
from text.treebanks import TreebankSentences
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
    def treebanks(self) -> TreebankSentences:
        """What tagging is trained and tested on."""
        return TreebankSentences(TaskView(self.results, "pos"), self.speak)

    @cached_property
    def transfer(self) -> TransferSentences:
        """How far quality falls in another language, and with which method less."""
        return TransferSentences(TaskView(self.results, "pos"), self.speak)

    @cached_property
    def causes(self) -> CauseSentences:
        """The kinds of error that the drop consists of."""
        return CauseSentences(TaskView(self.results, "pos"), self.speak)

    @cached_property
    def reasons(self) -> ReasonSentences:
        """Why transfer is possible."""
        return ReasonSentences(TaskView(self.results, "pos"), self.speak)

    @cached_property
    def tags(self) -> TagSentences:
        """Which tags lose little, and which much."""
        return TagSentences(TaskView(self.results, "pos"), self.speak)


def load_answers(results: Results, language: str) -> Answers:
    """The sentences of a report in a language."""
    return Answers(results, load_speaker(language))
