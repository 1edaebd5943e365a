"""The abstract and the conclusion: what the answers found, in the order of a paper."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from text.rules import Verdict
from text.sentence import Said, Speaker
from text.view import TaskView

if TYPE_CHECKING:
    from text.answers import Answers


@dataclass(frozen=True)
class AbstractSentences:
    """Sentences of the whole study, from the topics."""

    answers: "Answers"

    @property
    def speak(self) -> Speaker:
        """The speaker of all topics."""
        return self.answers.speak

    @property
    def text(self) -> Said:
        """The abstract: what was run, quality, cost, transfer, weights, training, advice."""
        return self.speak.join(
            [self.models, self.quality, self.transfer, self.weights, self.training, self.advice]
        )

    @property
    def conclusion(self) -> Said:
        """What follows for the choice between the methods, and what would settle what is open."""
        quality = self.answers.quality
        return self.speak.join(
            [self.quality, self.transfer, quality.advice, self.speak.say("open", self._open)]
        )

    @property
    def findings(self) -> list[Said]:
        """Quality, transfer and weights: the last lines of a render."""
        return [self.quality, self.transfer, self.weights]

    @property
    def models(self) -> Said:
        """What was trained, how often, and what it stands for."""
        setup = self.answers.setup
        tasks = self.answers.results.profile.tasks.values()
        said = [
            self.speak.say(
                "trained",
                task.kind,
                model=self.speak.words.model(task.methods[0].model_name_or_path),
                seeds=self._seeds(task.name),
                adapter=setup.adapter(task.name, "adapter-short"),
            )
            for task in tasks
        ]
        return self.speak.join([*said, self.speak.say("trained-on", setup.kind)])

    @property
    def quality(self) -> Said:
        """Task 1 in one sentence, with the price of a step."""
        parts = (self.answers.quality.headline, self.answers.cola_costs.headline)
        return self.speak.say("sentence", quality=parts[0], cost=parts[1])

    @property
    def transfer(self) -> Said:
        """Task 2 in one sentence."""
        return self.answers.transfer.headline

    @property
    def weights(self) -> Said:
        """Task 3 in one sentence."""
        return self.answers.weights.layers

    @property
    def training(self) -> Said:
        """What the learning curves say."""
        return self.answers.curves.epochs

    @property
    def advice(self) -> Said:
        """What to choose, as far as these runs go."""
        return self.speak.say("choose", self.answers.quality.verdict, **self._methods)

    @property
    def _methods(self) -> dict[str, str]:
        view = self.answers.quality.view
        return self.speak.methods(first=view.first, second=view.second)

    @property
    def _open(self) -> str:
        decided = self.answers.quality.verdict in (Verdict.MORE, Verdict.LESS, Verdict.SAME)
        return "rates" if decided else "seeds"

    def _seeds(self, task: str) -> int:
        return len(TaskView(self.answers.results, task).seeds())
