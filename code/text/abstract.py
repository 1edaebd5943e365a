"""The abstract and the conclusion: what the answers found, in the order of a paper."""

from dataclasses import dataclass

from text.costs import CostSentences
from text.curves import CurveSentences
from text.experiments import ExperimentSentences
from text.quality import QualitySentences
from text.rules import Verdict
from text.sentence import Said, Speaker
from text.setup import SetupSentences
from text.states import StateSentences
from text.transfer import TransferSentences
from text.view import TaskView
from text.weights import WeightSentences


@dataclass(frozen=True)
class AbstractSentences:
    """Sentences of the whole study, from the topics."""

    speak: Speaker
    setup: SetupSentences
    quality_of: QualitySentences
    costs: CostSentences
    transfer_of: TransferSentences
    weights_of: WeightSentences
    states_of: StateSentences
    curves: CurveSentences
    experiments: ExperimentSentences

    @property
    def text(self) -> Said:
        """The abstract: what was run, quality, cost, transfer, weights, training, advice."""
        told = [
            self.models, self.quality, self.transfer, self.weights, self.training, self.advice
        ]  # fmt: skip
        return self.speak.join(dict.fromkeys(told))

    @property
    def conclusion(self) -> Said:
        """What follows for the choice between the methods, and what would settle what is open."""
        told = [
            self.quality_of.advice,
            self.transfer_of.stated,
            self.weights,
            self.states_of.importance,
            self.experiments.brief,
            self.speak.say("open", self._open),
        ]
        return self.speak.join(dict.fromkeys(told))

    @property
    def findings(self) -> list[Said]:
        """Quality, transfer and weights: the last lines of a render."""
        return [self.quality, self.transfer, self.weights]

    @property
    def models(self) -> Said:
        """What was trained, how often, and what it stands for."""
        said = []
        for task in self.setup.results.profile.tasks.values():
            seeds = len(TaskView(self.setup.results, task.name).seeds())
            said.append(
                self.speak.say(
                    "trained",
                    task.kind,
                    model=self.speak.words.model(task.methods[0].model_name_or_path),
                    seeds=self.speak.say("seeds-run", "one" if seeds == 1 else "", count=seeds),
                    adapter=self.setup.adapter(task.name, "adapter-short"),
                )
            )
        return self.speak.join([*said, self.speak.say("trained-on", self.setup.kind)])

    @property
    def quality(self) -> Said:
        """Task 1 in one sentence, with the price of a step."""
        parts = (self.quality_of.headline, self.costs.headline)
        return self.speak.say("sentence", quality=parts[0], cost=parts[1])

    @property
    def transfer(self) -> Said:
        """Task 2 in one sentence."""
        drop, stated = self.transfer_of.drop, self.transfer_of.stated
        return drop if drop == stated else self.speak.join([drop, stated])  # nothing to judge

    @property
    def weights(self) -> Said:
        """Task 3 in one sentence."""
        return self.weights_of.layers_stated

    @property
    def training(self) -> Said:
        """What the learning curves say."""
        return self.curves.epochs_stated

    @property
    def advice(self) -> Said:
        """What to choose, as far as these runs go."""
        return self.speak.say("choose", self.quality_of.verdict, **self._methods)

    @property
    def _methods(self) -> dict[str, str]:
        view = self.quality_of.view
        return self.speak.methods(first=view.first, second=view.second)

    @property
    def _open(self) -> str:
        if self.experiments.made:
            return "tried"
        decided = self.quality_of.verdict in (Verdict.MORE, Verdict.LESS, Verdict.SAME)
        return "rates" if decided else "seeds"
