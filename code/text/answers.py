"""All sentences of a report in one language, by topic: what its inline expressions ask for."""

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


class Answers:
    """The sentences, one attribute a topic."""

    def __init__(self, results: Results, speak: Speaker):
        cola, pos = TaskView(results, "cola"), TaskView(results, "pos")
        self.setup = SetupSentences(results, speak)  # what was run
        self.judging = JudgingSentences(results, speak)
        self.quality = QualitySentences(cola, speak)
        self.cola_experiments = ExperimentSentences(cola, speak)  # does the verdict survive?
        self.cola_rates = RateSentences(cola, speak)
        self.pos_rates = RateSentences(pos, speak)
        self.pos_experiments = ExperimentSentences(pos, speak)
        self.cola_costs = CostSentences(cola, speak)
        self.pos_costs = CostSentences(pos, speak)
        self.weights = WeightSentences(results, speak)  # where they moved
        self.head = HeadSentences(results, speak)
        self.states = StateSentences(results, speak)  # what the weights do
        self.forgetting = ForgettingSentences(results, speak)
        self.curves = CurveSentences(results, speak)
        self.treebanks = TreebankSentences(pos, speak)
        self.transfer = TransferSentences(pos, speak)
        self.causes = CauseSentences(pos, speak)  # kinds of error that the drop consists of
        self.reasons = ReasonSentences(pos, speak)  # why transfer is possible
        self.tags = TagSentences(pos, speak)
        self.calibration = CalibrationSentences(results.facts, speak)  # how often all this is false
        self.abstract = AbstractSentences(
            speak,
            self.setup,
            self.quality,
            self.cola_costs,
            self.transfer,
            self.weights,
            self.states,
            self.curves,
            self.cola_experiments,
        )


def load_answers(results: Results, language: str) -> Answers:
    """The sentences of a report in a language."""
    return Answers(results, load_speaker(language))
