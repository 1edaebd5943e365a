"""Sentences on what was run: the study's kind, data, settings, statistics, and what is missing."""

from dataclasses import dataclass

from store.results import Results
from study.addresses import parse_address
from study.settings import TaskSettings, find_roles
from text.sentence import NOTHING, Said, Speaker
from text.view import TaskView
from words.escaping import Markup, join_markup

ASSIGNED = {"cola": "bert-base-uncased", "pos": "bert-base-multilingual-cased"}


@dataclass(frozen=True)
class SetupSentences:
    """The study as it was set up."""

    results: Results
    speak: Speaker

    # ------------------------------------------------------------------------- what the report is

    @property
    def kind(self) -> str:
        """``miniature``, ``other-models``, ``other-data`` or ``as-assigned``."""
        tasks = self._tasks
        if any(task.origin == "miniature" for task in tasks):
            return "miniature"
        encoders = {task.name: task.methods[0].model_name_or_path for task in tasks}
        same = all(model.endswith(ASSIGNED.get(task, "")) for task, model in encoders.items())
        return ("other-data" if self._cut else "as-assigned") if same else "other-models"

    @property
    def _cut(self) -> list[TaskSettings]:
        """The tasks that train on a part of their training set."""
        return [task for task in self._tasks if not parse_address(task.train).whole]

    @property
    def note(self) -> Said:
        """What this report is and is not."""
        return self.speak.say("study", self.kind, profile=self.results.profile.name)

    @property
    def warning(self) -> Said:
        """What a reader must know before any number; nothing where all is well.

        Runs that are missing, failed or left out, devices that differ, code that has changed.
        """
        stages = list(self.results.stale())
        old = [self.speak.say("code-old", stages=self.speak.listed(stages))] if stages else []
        return self.speak.join([*self._gaps, *self._mixtures, *old])

    @property
    def _gaps(self) -> list[Said]:
        missing, finished = len(self.results.missing), self.results.finished
        if not missing:
            return []
        counts: dict[str, object] = {
            "missing": missing,
            "finished": finished,
            "planned": missing + finished,
        }
        said = [self.speak.say("missing-some", "", **counts)]
        for state in ("failed", "left-out"):
            if runs := [gap.run for gap in self.results.missing if gap.state == state]:
                said.append(self.speak.say(f"missing-{state}", runs=self.speak.listed(runs)))
        return said

    @property
    def _mixtures(self) -> list[Said]:
        """Kinds of device and precisions in one report, and devices whose times are compared."""
        said = list[Said]()
        pairs = {
            (run.machine["device_kind"], run.machine["precision"])
            for run in self.results.runs
            if "device_kind" in run.machine
        }
        if len(pairs) > 1:
            kinds = "; ".join(
                f"{device.upper()}, {precision}" for device, precision in sorted(pairs)
            )
            said.append(self.speak.say("mixed-kinds", kinds=kinds))
        if any(len(self.results.machines("device", task.name)) > 1 for task in self._tasks):
            said.append(self.speak.say("mixed-devices", devices=self.devices))
        return said

    @property
    def data(self) -> Said:
        """What the corpora are, public ones or miniatures, and how much of them is trained on."""
        said = self.speak.say("data", "miniature" if self.kind == "miniature" else "assigned")
        parts = list[Said]()
        for task in self._cut:
            names = {"task": self.speak.name(task.name), "part": Markup(f"`{task.train}`")}
            parts.append(self.speak.say("data-part", **names))
        return self.speak.join([said, *(parts or [self.speak.say("data-whole")])])

    @property
    def cola(self) -> Said:
        """The sentences of Task 1, and how many are evaluated."""
        view = TaskView(self.results, "cola")
        size = view.facts.one("size", task="cola", evaluation=view.validation, metric="items")
        kind = "miniature" if self.kind == "miniature" else "glue"
        return self.speak.say("cola", kind, size=size)

    @property
    def adapters(self) -> Said:
        """The adapters of all tasks, said once if they are the same."""
        found = {task.name: self.adapter(task.name) for task in self._tasks}
        if len(set(found.values())) == 1:
            return self.speak.say("adapters-same", adapter=next(iter(found.values())))
        names = [Markup(f"{self.speak.name(task)}: {text}") for task, text in found.items()]
        return self.speak.say("adapters-different", adapters=join_markup("; ", names))

    def adapter(self, task: str, key: str = "adapter") -> Said:
        """The settings of a task's adapter, in full or (``adapter-short``) for the abstract."""
        settings = self.results.profile.tasks[task]
        name = find_roles(settings.methods).adapter
        adapter = settings.method(name).adapter if name else None
        if adapter is None:
            return self.speak.say("adapter-none")
        options = {name: self._option(value) for name, value in adapter.options.items()}
        if adapter.is_plain_lora and len(options) == 4:
            return self.speak.say(key, "lora", **options)
        if set(options) == {"num_virtual_tokens"}:
            return self.speak.say(key, "prefix", **options)
        texts = {n: o if isinstance(o, str) else str(o) for n, o in options.items()}
        listed = join_markup(", ", (join_markup(" = ", pair) for pair in texts.items()))
        return self.speak.say(key, "other", peft_type=adapter.peft_type, options=listed)

    def _option(self, value: object) -> object:
        """An option of an adapter: modules by their names, a list in running text."""
        if isinstance(value, list):
            return self.speak.listed([self.speak.name(str(item)) for item in value])
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, float):
            return value
        return self.speak.words.number(value, len(f"{value:g}".partition(".")[2]))

    @property
    def pooler(self) -> Said:
        """Whether the encoder of sentences has a pooler of its own or one that the head trains."""
        sentences = next((task for task in self._tasks if task.kind == "sequence"), None)
        return self.speak.say("pooler", sentences.methods[0].pooler if sentences else "encoder")

    @property
    def frozen_outputs(self) -> Said:
        """How the frozen control meets its encoder; nothing where no such control was run."""
        controls = [m for task in self._tasks for m in task.methods if m.trains_head_alone]
        if not controls:
            return NOTHING
        each_batch = False in self.results.machines("encoder_outputs_held")
        return self.speak.say("frozen-outputs", "each-batch" if each_batch else "once")

    @property
    def vocabulary(self) -> Said:
        """Whose vocabularies were cut to how many pieces, and why; nothing where none was."""
        found = dict[Markup, Said]()
        for task in self._tasks:
            view = TaskView(self.results, task.name)
            for method in task.methods:
                whole = view.cost(method.name, "whole_vocab_size")
                if whole.known:
                    model = self.speak.words.model(method.model_name_or_path)
                    pieces, name = view.cost(method.name, "pieces"), self.speak.name(task.name)
                    found.setdefault(
                        Markup(f"{model} {name}"),
                        self.speak.say(
                            "cut-encoder", model=model, task=name, pieces=pieces, whole=whole
                        ),
                    )
        if not found:
            return NOTHING
        return self.speak.say("cut", encoders=self.speak.join(found.values(), "; "))

    @property
    def precision(self) -> Said:
        """The format in which trainings multiply matrices; nothing where it is not one for all."""
        found = self.results.machines("precision")
        return self.speak.say("multiplied", found[0]) if len(found) == 1 else NOTHING

    @property
    def rates(self) -> Said:
        """Which learning rate each compared method has, and by how much they differ."""
        said = []
        for task in self._tasks:
            roles = find_roles(task.methods)
            if roles.reference is None or roles.adapter is None:
                continue
            first, second = (
                task.method(name).training.learning_rate
                for name in (roles.reference, roles.adapter)
            )
            said.append(
                self.speak.say(
                    "rates",
                    task=self.speak.name(task.name),
                    first_rate=self._power(first),
                    second_rate=self._power(second),
                    times=self.speak.words.number(second / first, 0),
                    **self.speak.methods(first=roles.reference, second=roles.adapter),
                )
            )
        return self.speak.join(said)

    @property
    def choice(self) -> Said:
        """How the settings were chosen, and on which data."""
        tried = any(task.experiments.tries for task in self._tasks) and self.results.variants
        outcome = "tried" if tried else "published"
        own = any(
            method.training.head_learning_rate is not None
            for task in self._tasks
            for method in task.methods
        )
        return self.speak.join(
            [
                self.speak.say("choice", "miniature" if self.kind == "miniature" else outcome),
                self.speak.say("head-rate", "own" if own else "same"),
            ]
        )

    def _power(self, rate: float) -> Markup:
        power = f"{rate:e}".partition("e")[2]
        mantissa = self.speak.words.number(rate / 10 ** int(power), 0)
        return Markup(f"{mantissa} · 10^{self.speak.words.number(int(power), 0)}^")

    def seeds(self, task: str) -> Said:
        """The seeds of a task that have results."""
        return self.speak.listed([str(seed) for seed in TaskView(self.results, task).seeds()])

    def schedule(self, task: str) -> Said:
        """Epochs and optimisation steps of a task's training."""
        view = TaskView(self.results, task)
        steps = view.cost(view.first, "steps")
        epochs = view.settings.methods[0].training.num_train_epochs
        return self.speak.say("epochs-and-steps", epochs=epochs, steps=steps)

    # -------------------------------------------------------------------------------- environment

    @property
    def changed_modules(self) -> Said:
        """Whether the code that made a result has changed since."""
        stale = self.results.stale()
        if not stale:
            return self.speak.say("code-unchanged")
        stages = [f"{stage} ({', '.join(modules)})" for stage, modules in stale.items()]
        return self.speak.say("code-changed", stages="; ".join(stages))

    @property
    def total_time(self) -> Said:
        """Training time of all runs together."""
        return Said(self.speak.words.duration(self.results.training_seconds))

    @property
    def devices(self) -> Said:
        """What the runs were trained on."""
        return self.speak.listed(sorted(self.results.machines("device")))

    @property
    def _tasks(self) -> list[TaskSettings]:
        return list(self.results.profile.tasks.values())
