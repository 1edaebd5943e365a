"""All sentences of a report in one language, by topic: what its inline expressions ask for."""

from dataclasses import dataclass
from functools import cached_property

from store.results import Results
from text.abstract import AbstractSentences
from text.calibration import CalibrationSentences
from text.causes import CauseSentences
from text.costs import CostSentences
from text.curves import CurveSentences
from text.experiments import ExperimentSentences
from text.forgetting import ForgettingSentences
from text.head import HeadSentences
from text.judging import JudgingSentences
from text.quality import QualitySentences
from text.rates import RateSentences
from text.reasons import ReasonSentences
from text.sentence import Speaker, load_speaker
from text.setup import SetupSentences
from text.states import StateSentences
from text.tags import TagSentences
from text.transfer import TransferSentences
from text.treebanks import TreebankSentences
from text.view import TaskView
from text.weights import WeightSentences


@dataclass(frozen=True)
class Answers:
    """The sentences, one attribute a topic."""

    results: Results
    speak: Speaker

    @cached_property
    def abstract(self) -> AbstractSentences:
        """What all topics found, in short."""
        return AbstractSentences(
            self.speak,
            self.setup,
            self.quality,
            self.cola_costs,
            self.transfer,
            self.weights,
            self.states,
            self.curves,
            self.cola_experiments,
        )

    @cached_property
    def setup(self) -> SetupSentences:
        """What was run, and how it is judged."""
        return SetupSentences(self.results, self.speak)

    @cached_property
    def judging(self) -> JudgingSentences:
        """How differences are judged."""
        return JudgingSentences(self.results, self.speak)

    @cached_property
    def quality(self) -> QualitySentences:
        """How well the methods do on CoLA."""
        return QualitySentences(TaskView(self.results, "cola"), self.speak)

    @cached_property
    def cola_experiments(self) -> ExperimentSentences:
        """Whether the verdict on CoLA survives other settings."""
        return ExperimentSentences(TaskView(self.results, "cola"), self.speak)

    @cached_property
    def cola_rates(self) -> RateSentences:
        """The rates that were tried on CoLA."""
        return RateSentences(TaskView(self.results, "cola"), self.speak)

    @cached_property
    def pos_rates(self) -> RateSentences:
        """The rates that were tried on tagging."""
        return RateSentences(TaskView(self.results, "pos"), self.speak)

    @cached_property
    def pos_experiments(self) -> ExperimentSentences:
        """The same for the verdict on tagging."""
        return ExperimentSentences(TaskView(self.results, "pos"), self.speak)

    @cached_property
    def cola_costs(self) -> CostSentences:
        """What the methods cost on CoLA."""
        return CostSentences(TaskView(self.results, "cola"), self.speak)

    @cached_property
    def pos_costs(self) -> CostSentences:
        """What the methods cost in tagging."""
        return CostSentences(TaskView(self.results, "pos"), self.speak)

    @cached_property
    def weights(self) -> WeightSentences:
        """Where fine-tuning moved the weights."""
        return WeightSentences(self.results, self.speak)

    @cached_property
    def head(self) -> HeadSentences:
        """Whether the head changes most, and what it is worth."""
        return HeadSentences(self.results, self.speak)

    @cached_property
    def states(self) -> StateSentences:
        """What the weights do: parts set back, hidden states, the shape of the update."""
        return StateSentences(self.results, self.speak)

    @cached_property
    def forgetting(self) -> ForgettingSentences:
        """What the encoders forgot of their pretraining."""
        return ForgettingSentences(self.results, self.speak)

    @cached_property
    def curves(self) -> CurveSentences:
        """What the learning curves say."""
        return CurveSentences(self.results, self.speak)

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

    @cached_property
    def calibration(self) -> CalibrationSentences:
        """How often the verdicts are false."""
        return CalibrationSentences(self.results.facts, self.speak)


def load_answers(results: Results, language: str) -> Answers:
    """The sentences of a report in a language."""
    return Answers(results, load_speaker(language))
