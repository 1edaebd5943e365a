"""What was run, in words: the settings, the sources and what is missing."""

from answers import findings
from answers.judging import MAINLY, MONOTONE, TOLERANCE
from answers.methods import PRIMARY
from answers.models import ModelAnswers
from answers.voice import Phrase
from study.settings import TaskSettings
from words.escaping import Markup, join_markup

ASSIGNED = {"cola": "bert-base-uncased", "pos": "bert-base-multilingual-cased"}


class SetupAnswers(ModelAnswers):
    """The study as it was set up."""

    @property
    def kind(self) -> str:
        """``miniature``, ``other-models`` or ``as-assigned``."""
        tasks = self.results.profile.tasks.values()
        if any(task.origin == "miniature" for task in tasks):
            return "miniature"
        as_assigned = all(self.encoder(task).endswith(ASSIGNED[task.name]) for task in tasks)
        return "as-assigned" if as_assigned else "other-models"

    @property
    def note(self) -> Phrase:
        """What this report is and is not."""
        return self.voice.say("study", self.kind, profile=self.results.profile.name)

    @property
    def warning(self) -> Phrase:
        """What a reader must know before any number; nothing where all is well.

        Runs that are missing, failed or left out, devices that differ, code that has changed.
        """
        stages = list(self.results.stale())
        old = [self.voice.say("code-old", stages=self.voice.listed(stages))] if stages else []
        return self.voice.join([*self._gaps, *self._mixtures, *old])

    @property
    def _gaps(self) -> list[Phrase]:
        """Runs without results, and why."""
        missing, finished = len(self.results.missing), len(self.results.runs)
        if not missing:
            return []
        planned = missing + finished
        said = [self.voice.say("missing-some", missing=missing, finished=finished, planned=planned)]
        for state in ("failed", "left-out"):
            if runs := [gap.run for gap in self.results.missing if gap.state == state]:
                said.append(self.voice.say(f"missing-{state}", runs=self.voice.listed(runs)))
        return said

    @property
    def _mixtures(self) -> list[Phrase]:
        """Kinds of device and precisions in one report, and devices whose times are compared."""
        runs, said = self.results.runs, []
        if "device_kind" in runs:
            pairs = runs[["device_kind", "precision"]].drop_duplicates()
            kinds = [f"{row.device_kind.upper()}, {row.precision}" for row in pairs.itertuples()]
            if len(kinds) > 1:
                said.append(self.voice.say("mixed-kinds", kinds="; ".join(kinds)))
        of_tasks = runs.groupby("task")["device"].nunique() if len(runs) else []
        if any(count > 1 for count in of_tasks):
            said.append(self.voice.say("mixed-devices", devices=self.devices))
        return said

    @property
    def frozen_outputs(self) -> Phrase:
        """How the frozen control meets its encoder: outputs computed once, or for every batch."""
        held = self.results.runs.get("encoder_outputs_held")
        each_batch = held is not None and (held == False).any()  # noqa: E712 - None of other methods
        return self.voice.say("frozen-outputs", "each-batch" if each_batch else "once")

    @property
    def tolerance(self) -> Phrase:
        """By how much costs must differ to count as different."""
        return Phrase(self.voice.words.percent(TOLERANCE - 1, 0))

    @property
    def monotone(self) -> Phrase:
        """The rank correlation from which change grows with depth."""
        return Phrase(self.voice.words.number(MONOTONE, 1))

    @property
    def mainly(self) -> Phrase:
        """Upper over lower third from which change is mainly in the upper layers."""
        return Phrase(self.voice.words.number(MAINLY, 1))

    @property
    def margins(self) -> Phrase:
        """Differences that do not matter in practice."""
        margins = next(iter(self.results.profile.tasks.values())).margins
        mcc, accuracy = (self.voice.size(m, margins.of(m)) for m in PRIMARY.values())
        return self.voice.say("margins", mcc=mcc, accuracy=accuracy)

    @property
    def pooler(self) -> Phrase:
        """Whether the encoders' poolers belong to the encoder or to the head."""
        tasks = self.results.profile.tasks.values()
        sentences = next((task for task in tasks if task.kind == "sequence"), None)
        return self.voice.say("pooler", sentences.methods[0].pooler if sentences else "encoder")

    @property
    def vocabulary(self) -> Phrase:
        """Whose vocabularies were cut to how many pieces, and why; nothing where none was."""
        runs = self.results.runs
        if "whole_vocab_size" not in runs:
            return Phrase("")
        cut = runs.dropna(subset=["whole_vocab_size"]).drop_duplicates(["task", "model"])
        found = [
            self.voice.say(
                "cut-encoder",
                model=self.voice.words.model(row.model),
                task=self.voice.name("task", row.task),
                pieces=self.voice.words.count(int(row.pieces)),
                whole=self.voice.words.count(int(row.whole_vocab_size)),
            )
            for row in cut.itertuples()
        ]
        return self.voice.say("cut", encoders=join_markup("; ", found)) if found else Phrase("")

    @property
    def precision(self) -> Phrase:
        """The format in which trainings multiply matrices; nothing where it is not one for all."""
        known = self.results.runs.get("precision")
        found = set() if known is None else set(known.dropna())
        return self.voice.say("multiplied", found.pop()) if len(found) == 1 else Phrase("")

    @property
    def data(self) -> Phrase:
        """Whether the corpora are those of the assignment."""
        return self.voice.say("data", "miniature" if self.kind == "miniature" else "assigned")

    @property
    def headline_seeds(self) -> Phrase:
        """What the number of seeds leaves out, in half a line."""
        tasks = self.results.profile.tasks
        counts = [len(findings.seeds_run(self.results, task)) for task in tasks]
        listed = self.voice.listed([str(count) for count in counts])
        outcome = {0: "one", 1: "one", 2: "two"}.get(max(counts, default=0), "several")
        return self.voice.say("headline-seeds", outcome, counts=listed)

    @property
    def changed_modules(self) -> Phrase:
        """Whether the code that made a result has changed since."""
        stale = self.results.stale()
        if not stale:
            return self.voice.say("code-unchanged")
        stages = [f"{stage} ({', '.join(modules)})" for stage, modules in stale.items()]
        return self.voice.say("code-changed", stages="; ".join(stages))

    @property
    def total_time(self) -> Phrase:
        """Training time of all runs together."""
        return Phrase(self.voice.words.duration(float(self.results.runs.training_seconds.sum())))

    @property
    def devices(self) -> Phrase:
        """What the runs were trained on."""
        return Phrase(self.voice.listed(sorted(set(self.results.runs.device))))

    @property
    def level(self) -> Phrase:
        """Confidence level of every interval, the same for all tasks."""
        level = next((found["level"] for found in self.results.evidence.values()), None)
        return Phrase(self.voice.words.percent(level, 0))

    @property
    def resamples(self) -> Phrase:
        """Resamples behind every interval and test, the same for all tasks."""
        resamples = next((found["resamples"] for found in self.results.evidence.values()), None)
        return Phrase(self.voice.words.count(resamples))

    def encoder(self, task: TaskSettings) -> str:
        """The encoder that a task's methods start from."""
        return task.methods[0].model_name_or_path

    def seeds(self, task: str) -> Phrase:
        """The seeds that have results."""
        return Phrase(self.voice.listed(list(map(str, findings.seeds_run(self.results, task)))))

    def epochs(self, task: str) -> Phrase:
        """Passes over the training set."""
        training = self.results.profile.tasks[task].methods[0].training
        return self.voice.say("epochs", count=training.num_train_epochs)

    @property
    def adapters(self) -> Phrase:
        """The adapters of all tasks, said once if they are the same."""
        found = {task: self.adapter(task) for task in self.results.profile.tasks}
        if len(set(found.values())) == 1:
            return self.voice.say("adapters-same", adapter=next(iter(found.values())))
        names = [Markup(f"{self.voice.name('task', task)}: {text}") for task, text in found.items()]
        return self.voice.say("adapters-different", adapters=join_markup("; ", names))

    def adapter(self, task: str, key: str = "adapter") -> Phrase:
        """The settings of a task's adapter, in full or (``adapter-short``) for the abstract."""
        method = self.method(task, "adapter")
        adapter = self.results.profile.tasks[task].method(method).adapter if method else None
        if adapter is None:
            return self.voice.say("adapter-none")
        values = {name: self._typed(value) for name, value in vars(adapter).items()}
        roles = [self.voice.name("kind", role) for role in getattr(adapter, "roles", ())]
        return self.voice.say(key, adapter.kind, **{**values, "roles": self.voice.listed(roles)})

    def _typed(self, value: object) -> object:
        """A setting as it was typed; a fraction with the decimal sign of the language."""
        if not isinstance(value, float):
            return value
        return self.voice.words.number(value, len(f"{value:g}".partition(".")[2]))
