"""What answers about several trained models share: which models there are, and their names."""

from dataclasses import dataclass

from answers import findings
from answers.voice import Phrase, Voice
from store.results import Results

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

    def pair(self, task: str) -> tuple[str | None, str | None]:
        """The reference and the adapter of a task."""
        return self.method(task, "reference"), self.method(task, "adapter")

    def models(self) -> list[Model]:
        """The (up to four) models that the assignment asks about."""
        tasks = self.results.profile.tasks
        return [(task, method) for task in tasks for method in self.pair(task) if method]

    def judged(self) -> list[Model]:
        """Those of them that learned their task: of the others nothing is concluded."""
        return [model for model in self.models() if findings.learned(self.results, *model)]

    def names(self, task: str, *methods: str | None) -> dict[str, str]:
        """Placeholders ``{task}``, ``{first}`` and its forms, ``{second}`` where there are two."""
        return {"task": self.voice.name("task", task), **self.voice.methods(*methods)}

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

    def transfer(self) -> tuple[str, str] | None:
        """The first task with a set in another language than the one it is trained in; the set."""
        tasks = self.results.profile.tasks
        found = ((task, findings.find_target(self.results, task)) for task in tasks)
        return next(((task, target) for task, target in found if target), None)
