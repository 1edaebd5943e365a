"""What answers about several trained models share: which models there are, and their names."""

from dataclasses import dataclass

from answers import findings
from answers.voice import Phrase, Voice
from store.results import Results

ROLES = ("reference", "adapter")
Model = tuple[str, str]  # task and method


@dataclass(frozen=True)
class ModelAnswers:
    """Answers that look at the models of all tasks."""

    results: Results
    voice: Voice

    def method(self, task: str, role: str) -> str | None:
        """The finished method of a task that plays a role."""
        found: str | None = getattr(self.results.roles(task), role)
        return found

    def models(self) -> list[Model]:
        """The (up to four) models that the assignment asks about."""
        return [
            (task, method)
            for task in self.results.profile.tasks
            for role in ROLES
            if (method := self.method(task, role)) is not None
        ]

    def judged(self) -> list[Model]:
        """Those of them that learned their task: of the others nothing is concluded."""
        return [model for model in self.models() if findings.learned(self.results, *model)]

    def names(self, task: str, method: str | None) -> dict[str, str]:
        """Placeholders ``{task}``, ``{first}`` and its forms."""
        return {"task": self.voice.name("task", task), **self.voice.methods(method)}

    def model_name(self, task: str, method: str) -> Phrase:
        """A model's name in a list."""
        return self.voice.say("model", **self.names(task, method))

    def listed(self, models: list[Model]) -> str:
        """The names of some models."""
        return self.voice.listed([self.model_name(*model) for model in models])

    @property
    def unlearned(self) -> Phrase:
        """Which models did not learn their task, if any; nothing otherwise."""
        judged = self.judged()
        lacking = [model for model in self.models() if model not in judged]
        return self.voice.say("unlearned", models=self.listed(lacking)) if lacking else Phrase("")

    def target_task(self) -> str | None:
        """The first task that is evaluated in another language than the one it is trained in."""
        tasks = self.results.profile.tasks
        return next((task for task in tasks if findings.find_target(self.results, task)), None)
