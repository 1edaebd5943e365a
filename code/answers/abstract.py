"""The abstract: one paragraph from the same findings as the answers, in the order of a paper."""

from dataclasses import dataclass

from answers.cola import ColaAnswers
from answers.costs import PARAMETERS
from answers.curves import CurveAnswers
from answers.drift import DriftAnswers
from answers.findings import COMPUTED_MEMORY
from answers.pos import PosAnswers
from answers.setup import SetupAnswers
from answers.states import StateAnswers
from answers.voice import Phrase, Voice


@dataclass(frozen=True)
class AbstractAnswers:
    """Sentences of the abstract, from the answers of all tasks."""

    voice: Voice
    setup: SetupAnswers
    cola: ColaAnswers
    pos: PosAnswers
    drift: DriftAnswers
    states: StateAnswers
    curves: CurveAnswers

    @property
    def models(self) -> Phrase:
        """What was trained, how often, and what it stands for."""
        seeds = [len(task.seeds_run) for task in (self.cola, self.pos)]
        started = self.cola.say(
            "abstract-models",
            "same-seeds" if len(set(seeds)) == 1 else "different-seeds",
            cola_model=self.voice.model(self.setup.encoder(self.cola.settings)),
            pos_model=self.voice.model(self.setup.encoder(self.pos.settings)),
            adapter=self.setup.adapter("cola", "adapter-short"),
            cola_seeds=self.voice.words.count(seeds[0]),
            pos_seeds=self.voice.words.count(seeds[1]),
        )
        return self.voice.join([started, self.voice.say("abstract-study", self.setup.kind)])

    @property
    def quality(self) -> Phrase:
        """Task 1: how the methods compare, and what the adapter keeps of the gain."""
        where, metric = self.cola.settings.validation, self.cola.metric
        compared = self.cola.compare("abstract-quality", where, metric)
        kept = self.cola.share_of_gain if self.cola.quality_verdict.reliable else Phrase("")
        return self.voice.join([compared, kept])

    @property
    def cost(self) -> Phrase:
        """Time and memory."""
        if not self.cola.complete:
            return Phrase("")
        outcome, factor = self.cola.speed
        memory, parameters = self.cola.share(COMPUTED_MEMORY), self.cola.share(PARAMETERS)
        if memory is None or parameters is None:
            outcome = "unknown"
        return self.cola.say(
            "abstract-cost",
            outcome,
            factor=factor,
            memory=self.voice.words.percent(memory, 0),
            parameters=self.voice.words.percent(parameters, 2),
        )

    @property
    def transfer(self) -> Phrase:
        """Task 2: both methods in the other language."""
        transfer = [self.pos.transfer] if self.pos.target else []  # else the drop says why not
        return self.voice.join([self.pos.drop, *transfer])

    @property
    def cause(self) -> Phrase:
        """Where most of the drop lies."""
        return self.pos.causes

    @property
    def weights(self) -> Phrase:
        """Task 3: where the weights moved and what became of the hidden states."""
        states = [self.states.tagger] if self.pos.target else []
        return self.voice.join([self.drift.layers_stated, *states])

    @property
    def training(self) -> Phrase:
        """Overfitting."""
        return self.curves.overfitting

    @property
    def advice(self) -> Phrase:
        """What to choose."""
        return self.cola.say("abstract-advice", self.cola.quality_verdict)
