"""What was run, in words: the settings, the sources and what is missing."""

from dataclasses import dataclass

from answers.judging import ALPHA, TOLERANCE
from answers.voice import Phrase, Voice, adapter_sentence
from store.frames import select
from store.results import Results
from study.settings import TaskSettings

ASSIGNED = {"cola": "bert-base-uncased", "pos": "bert-base-multilingual-cased"}


@dataclass(frozen=True)
class SetupAnswers:
    """The study as it was set up.

    Attributes:
        results: the results.
        voice: the language.
    """

    results: Results
    voice: Voice

    @property
    def kind(self) -> str:
        """``miniature``, ``other-models`` or ``as-assigned``."""
        tasks = self.results.profile.tasks.values()
        if any(task.origin == "miniature" for task in tasks):
            return "miniature"
        as_assigned = all(self._model(task).endswith(ASSIGNED[task.name]) for task in tasks)
        return "as-assigned" if as_assigned else "other-models"

    @property
    def note(self) -> Phrase:
        """What this report is and is not."""
        return self.voice.say(f"study-{self.kind}", profile=self.results.profile.name)

    @property
    def headline(self) -> Phrase:
        """The same in half a line."""
        return self.voice.say(f"headline-study-{self.kind}")

    @property
    def missing(self) -> Phrase:
        """Whether every run that the settings ask for is here."""
        count = len(self.results.missing)
        finished = len(self.results.runs)
        key = "missing-some" if count else "missing-none"
        return self.voice.say(key, missing=count, finished=finished, planned=count + finished)

    @property
    def warning(self) -> Phrase:
        """That runs are missing, if any are; nothing otherwise."""
        return self.missing if self.results.missing else Phrase("")

    @property
    def tolerance(self) -> Phrase:
        """By how much costs must differ to count as different."""
        return Phrase(self.voice.words.percent(TOLERANCE - 1, 0))

    @property
    def data(self) -> Phrase:
        """Whether the corpora are those of the assignment."""
        return self.voice.say("data-miniature" if self.kind == "miniature" else "data-assigned")

    @property
    def headline_seeds(self) -> Phrase:
        """What the number of seeds leaves out, in half a line."""
        seeds = self.results.runs.groupby("task")["seed"].nunique()
        counts = self.voice.listed([str(count) for count in seeds])
        single = len(seeds) == 0 or bool(seeds.max() == 1)
        return self.voice.say(f"headline-seeds-{'one' if single else 'several'}", counts=counts)

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
        """Confidence level of every interval."""
        return Phrase(self.voice.words.percent(self._of_evidence("level"), 0))

    @property
    def resamples(self) -> Phrase:
        """Resamples behind every interval and test."""
        resamples = self._of_evidence("resamples")
        return Phrase(self.voice.words.count(None if resamples is None else int(resamples)))

    @property
    def alpha(self) -> Phrase:
        """Level of the tests."""
        return Phrase(self.voice.words.number(ALPHA, 2))

    def _of_evidence(self, key: str) -> float | int | None:
        return next((e[key] for e in self.results.evidence.values() if key in e), None)

    # ----------------------------------------------------------------------------- one task's

    def model(self, task: str) -> Phrase:
        """The encoder that a task's methods start from."""
        return Phrase(f"`{self._model(self.results.profile.tasks[task])}`")

    def _model(self, task: TaskSettings) -> str:
        return task.methods[0].model_name_or_path

    def seeds(self, task: str) -> Phrase:
        """The seeds that have results."""
        found = sorted(set(select(self.results.runs, task=task)["seed"]))
        return Phrase(self.voice.listed([str(seed) for seed in found]))

    def epochs(self, task: str) -> Phrase:
        """Passes over the training set."""
        training = self.results.profile.tasks[task].methods[0].training
        return self.voice.say("epochs", count=training.num_train_epochs)

    def training(self, task: str) -> Phrase:
        """Batch size, schedule and regularisation of a task's runs."""
        training = self.results.profile.tasks[task].methods[0].training
        words = self.voice.words
        return self.voice.say(
            "training",
            epochs=training.num_train_epochs,
            batch=training.per_device_train_batch_size,
            decay=words.number(training.weight_decay, 2),
            warmup=words.percent(training.warmup_ratio, 0),
            length=training.max_length,
            points=training.evaluations_per_epoch,
        )

    @property
    def adapters(self) -> Phrase:
        """The adapters of all tasks, said once if they are the same."""
        found = {task: self.adapter(task) for task in self.results.profile.tasks}
        if len(set(found.values())) == 1:
            return self.voice.say("adapters-same", adapter=next(iter(found.values())))
        names = [f"{self.voice.name('task', task)}: {text}" for task, text in found.items()]
        return self.voice.say("adapters-different", adapters="; ".join(names))

    def adapter(self, task: str) -> Phrase:
        """The settings of a task's adapter."""
        method = self.results.roles(task).adapter
        if method is None:
            return self.voice.say("adapter-none")
        return adapter_sentence(self.voice, self.results.profile.tasks[task].method(method))

    def learning_rates(self, task: str) -> Phrase:
        """The peak learning rate of every method."""
        return Phrase(
            self.voice.listed(
                [
                    self.voice.say(
                        "learning-rate",
                        **self.voice.methods(method.name),
                        rate=self._scientific(method.training.learning_rate),
                    )
                    for method in self.results.profile.tasks[task].methods
                ]
            )
        )

    def _scientific(self, value: float) -> str:
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa}·10^{int(exponent)}^".replace("^-", "^\u2212")
