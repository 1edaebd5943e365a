"""The grid of runs, and the stages that each run goes through.

A run is a task, a method and a seed. Its stages: train -> predict -> score, and train -> drift,
structure, representation; a task's evidence is computed from the predictions of all its runs. Every
stage is an entry of the store whose key names what it is computed from, so scoring anew never
trains, and drawing anew never scores. The ledger of a profile says which entries its report shows.
"""

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from corpora.loading import (
    UPOS_TAGS,
    Corpus,
    Split,
    acceptability_items,
    load_corpus,
    tagging_items,
    training_vocabulary,
)
from drift.distances import (
    embedding_row_drift,
    measure_drift,
    untouched_outside,
    weight_decay_factor,
)
from drift.similarity import compare_representations
from drift.spectra import measure_update
from encoders.models import (
    Checkpoint,
    build_model,
    choose_device,
    compute_memory,
    count_parameters,
    describe_device,
    find_checkpoint,
    head_state,
    load_base,
    load_tokenizer,
    load_trained,
    trained_state,
)
from encoders.tokens import Encoded, encode_sentences, encode_tagged
from evidence.acceptability import summarise_acceptability
from evidence.scoring import score_acceptability, score_tags
from evidence.tagging import summarise_tagging
from runs.progress import Progress
from store import ledger, provenance
from store.entries import Entry, Key, Store, disk_errors, save_arrays
from study.architecture import HEAD, locate
from study.errors import StudyError
from study.settings import (
    LoraSettings,
    MethodSettings,
    Profile,
    TaskSettings,
    TrainingSettings,
    language_of,
)
from training.loop import StepListener, build_schedule, train
from training.prediction import length_sorted_batches, predict

ACCEPTABILITY_LABELS = ("unacceptable", "acceptable")
CKA_ITEMS = 200  # sentences of a validation split that hidden states are compared on
RESAMPLES = 2000  # bootstrap resamples of the evidence
EVIDENCE_SEED = 20_260_101  # of the resampling; no training uses it


@dataclass(frozen=True)
class Stage:
    """A kind of entry: raise ``version`` when the meaning of its content changes."""

    name: str
    version: int
    modules: tuple[str, ...]  # our modules whose code decides the content


TRAIN = Stage(
    "train", 2, ("training.loop", "encoders.models", "encoders.tokens", "study.architecture")
)
ITEMS = Stage("items", 1, ("corpora.loading", "encoders.tokens"))
PREDICT = Stage("predict", 1, ("training.prediction", "encoders.models", "encoders.tokens"))
SCORE = Stage("score", 2, ("evidence.scoring",))
DRIFT = Stage("drift", 2, ("drift.distances", "drift.weights", "study.architecture"))
STRUCTURE = Stage(
    "structure", 2, ("drift.spectra", "drift.distances", "drift.weights", "study.architecture")
)
REPRESENTATION = Stage("representation", 1, ("drift.similarity",))
EVIDENCE = Stage(
    "evidence",
    3,
    (
        "evidence.acceptability",
        "evidence.tagging",
        "evidence.panels",
        "evidence.intervals",
        "evidence.transfer",
        "evidence.baselines",
        "evidence.scoring",
    ),
)


@dataclass(frozen=True)
class Run:
    """One training."""

    task: TaskSettings
    method: MethodSettings
    seed: int

    @property
    def name(self) -> str:
        """``<task>-<method>-seed<seed>``."""
        return f"{self.task.name}-{self.method.name}-seed{self.seed}"


def plan_runs(profile: Profile) -> list[Run]:
    """All runs, seed by seed: stopping early leaves a complete study of fewer seeds."""
    tasks = list(profile.tasks.values())
    rounds = max(len(task.seeds) for task in tasks)
    return [
        Run(task, method, task.seeds[round_])
        for round_ in range(rounds)
        for task in tasks
        if round_ < len(task.seeds)
        for method in task.methods
    ]


class Study:
    """Runs the stages of a profile through the store."""

    def __init__(self, profile: Profile, store: Store):
        self.profile = profile
        self.store = store
        self._ledger = ledger.Ledger(profile)

    def complete(self) -> ledger.Ledger:
        """Makes whatever is missing and writes the ledger after every run.

        A run that fails is recorded with its reason, and the others go on.

        Raises:
            StudyError: data or a model cannot be had: nothing can run.
        """
        runs = plan_runs(self.profile)
        for run in runs:
            self.train_key(run)  # data, models: what cannot be had is said before anything starts
        missing = [run for run in runs if not self.store.find(self.train_key(run))]
        with Progress(sum(self._work(run) for run in missing) or 1.0, len(runs)) as progress:
            for run in runs:
                progress.start(run.name)
                self._complete_run(run, progress)
                self._ledger.save(self.store.root)
        return self._complete_tasks()

    def collect(self) -> ledger.Ledger:
        """As ``complete``, of the runs that are trained already: trains nothing."""
        with Progress(1.0, len(plan_runs(self.profile))) as progress:
            for run in plan_runs(self.profile):
                if self.store.find(self.train_key(run)):
                    self._complete_run(run, progress)
        return self._complete_tasks()

    def complete_run(self, run: Run) -> dict[str, Any]:
        """One run's entries by stage; a failure raises."""
        with Progress(self._work(run), 1) as progress:
            progress.start(run.name)
            return self._stages(run, progress)

    def states(self) -> Iterator[tuple[Run, Key, Entry | None]]:
        """Each run's training key and its entry, if it is there."""
        for run in plan_runs(self.profile):
            key = self.train_key(run)
            yield run, key, self.store.find(key)

    # ------------------------------------------------------------------------------------ keys

    def train_key(self, run: Run) -> Key:
        """Everything that decides a training's result."""
        training = dataclasses.asdict(run.method.training)
        del training["per_device_eval_batch_size"]  # speed only
        adapter = run.method.adapter
        return Key(
            TRAIN.name,
            run.name,
            TRAIN.version,
            {
                "kind": run.task.kind,
                "labels": list(self.labels(run.task)),
                "model": self.checkpoint(run.method).identity,
                "train": self.split(run.task, run.task.train).content_hash,
                "validation": self.split(run.task, run.task.validation).content_hash,
                "trainable": run.method.trainable,
                "adapter": dataclasses.asdict(adapter) if adapter else None,
                "training": training,
                "seed": run.seed,
            },
        )

    def _derived_key(self, stage: Stage, run: Run, **payload: Any) -> Key:
        source = {"train": self.train_key(run).digest, **payload}
        return Key(stage.name, run.name, stage.version, source)

    # ------------------------------------------------------------------------ data and models

    def labels(self, task: TaskSettings) -> tuple[str, ...]:
        """The classes of a task, in the order of the logits."""
        return UPOS_TAGS if task.kind == "token" else ACCEPTABILITY_LABELS

    @functools.cache  # noqa: B019 - a study lives as long as the process
    def checkpoint(self, method: MethodSettings) -> Checkpoint:
        """The pretrained encoder of a method."""
        return find_checkpoint(method.model_name_or_path, method.revision)

    @functools.cache  # noqa: B019
    def tokenizer(self, checkpoint: Checkpoint) -> Any:
        """Its tokenizer."""
        return load_tokenizer(checkpoint)

    @functools.cache  # noqa: B019
    def corpus(self, origin: str, name: str, splits: tuple[str, ...]) -> Corpus:
        """A corpus with these splits."""
        return load_corpus(name, origin, splits, self._corpus_folder(origin))

    def split(self, task: TaskSettings, address: str) -> Split:
        """The split at ``<corpus>:<split>``."""
        name, split = address.split(":")
        return self._corpus_of(task, name).splits[split]

    def source(self, task: TaskSettings, address: str) -> str:
        """Where that split came from, as a sentence."""
        return self._corpus_of(task, address.split(":")[0]).source

    @functools.lru_cache(maxsize=16)  # noqa: B019
    def encoded(self, task: TaskSettings, method: MethodSettings, address: str) -> Encoded:
        """That split as the method's model reads it."""
        items = self.split(task, address).items
        tokenizer = self.tokenizer(self.checkpoint(method))
        length = method.training.max_length
        if task.kind == "token":
            return encode_tagged(items, tokenizer, self.labels(task), length)  # type: ignore[arg-type]
        return encode_sentences(items, tokenizer, length)  # type: ignore[arg-type]

    def _corpus_of(self, task: TaskSettings, name: str) -> Corpus:
        wanted = sorted({a for a in (task.train, *task.evaluations) if a.startswith(f"{name}:")})
        return self.corpus(task.origin, name, tuple(a.split(":")[1] for a in wanted))

    def _corpus_folder(self, origin: str) -> Path | None:
        return None if origin == "local" else self.store.root / "corpora"

    # ---------------------------------------------------------------------------------- stages

    def _complete_run(self, run: Run, progress: Progress) -> None:
        try:
            self._ledger.record(run.name, self._stages(run, progress))
        except StudyError as error:
            progress.say(f"{run.name} failed: {error}")
            self._ledger.record_failure(run.name, str(error))

    def _stages(self, run: Run, progress: Progress) -> dict[str, Any]:
        trained = self.train(run, progress)
        predictions = {address: self.predict(run, address) for address in run.task.evaluations}
        stages: dict[str, Any] = {
            "train": trained.name,
            "predict": {address: entry.name for address, entry in predictions.items()},
            "score": {address: self.score(run, address).name for address in predictions},
        }
        if run.method.mergeable:
            stages["drift"] = self.drift(run).name
        if run.method.moves_encoder:
            stages["structure"] = self.structure(run).name
            stages["representation"] = self.representation(run).name
        return stages

    def train(self, run: Run, progress: Progress) -> Entry:
        """Trains a run, or finds it trained."""
        key = self.train_key(run)

        def make(folder: Path) -> dict[str, Any]:
            return self._train(run, folder, self.store.workspace(key), progress)

        return self.store.produce(key, make, lambda: self._provenance(TRAIN))

    def _train(self, run: Run, folder: Path, workspace: Path, progress: Progress) -> dict[str, Any]:
        model = self._fresh_model(run)
        save_file(head_state(model), folder / "initial_head.safetensors")
        facts: dict[str, Any] = {**count_parameters(model), **compute_memory(model)}
        steps = self._schedule(run).steps_per_epoch * run.method.training.num_train_epochs
        result = train(
            model,
            run.task.kind,
            self.labels(run.task),
            self.encoded(run.task, run.method, run.task.train),
            self.encoded(run.task, run.method, run.task.validation),
            self.tokenizer(self.checkpoint(run.method)),
            run.method.training,
            run.seed,
            workspace,
            _step_listener(progress, self._work(run) / steps),
        )
        with disk_errors(folder):
            save_file(trained_state(model), folder / "trained.safetensors")
        kept = (folder / "trained.safetensors").stat().st_size
        facts |= {"kept_bytes": kept, "model": run.method.model_name_or_path}
        sources = {a: self.source(run.task, a) for a in (run.task.train, *run.task.evaluations)}
        sources["model"] = self.checkpoint(run.method).source
        return {"costs": result.costs | facts, "curves": result.curves, "sources": sources}

    def predict(self, run: Run, address: str) -> Entry:
        """Logits (sentences) or tag indices (words) of a run on an evaluated set."""
        data_hash = self.split(run.task, address).content_hash
        key = self._derived_key(PREDICT, run, evaluation=address, data=data_hash)

        def make(folder: Path) -> dict[str, Any]:
            logits = predict(
                self._trained_model(run).to(choose_device()),
                run.task.kind,
                self.encoded(run.task, run.method, address),
                self.tokenizer(self.checkpoint(run.method)),
                run.method.training.per_device_eval_batch_size,
            )
            if run.task.kind == "token":
                save_arrays(folder, predicted=logits.argmax(axis=1).astype(np.int8))
            else:
                save_arrays(folder, logits=logits)
            return {"evaluation": address, "items": len(logits)}

        return self.store.produce(key, make, lambda: self._provenance(PREDICT))

    def score(self, run: Run, address: str) -> Entry:
        """Metrics of one run on an evaluated set."""
        predicted = self.predict(run, address)
        key = Key(SCORE.name, run.name, SCORE.version, {"predict": predicted.manifest()["digest"]})

        def make(_folder: Path) -> dict[str, Any]:
            arrays, gold = predicted.arrays(), self._gold(run.task, address)
            if run.task.kind == "token":
                scores = score_tags(arrays["predicted"], gold, self.labels(run.task))
                chosen = ("accuracy", "macro_f1", "weighted_f1")
                return {"metrics": {name: float(scores[name]) for name in chosen}}
            return {"metrics": score_acceptability(arrays["logits"], gold)}

        return self.store.produce(key, make, lambda: self._provenance(SCORE))

    def drift(self, run: Run) -> Entry:
        """Distances between base and tuned weights; for an adapter, the merged model."""

        def make(_folder: Path) -> dict[str, Any]:
            base, tuned = self._pair(run)
            before = load_file(self.train(run, _silent()).path("initial_head.safetensors"))
            return {
                "rows": measure_drift(base, tuned, before),
                "embedding_rows": self._embedding_rows(run, base, tuned),
                "untouched": self._untouched(run, base, tuned),
            }

        key = self._derived_key(DRIFT, run)
        return self.store.produce(key, make, lambda: self._provenance(DRIFT))

    def structure(self, run: Run) -> Entry:
        """Rank and spectrum of the change of every matrix."""

        def make(_folder: Path) -> dict[str, Any]:
            return {"rows": measure_update(*self._pair(run))}

        key = self._derived_key(STRUCTURE, run)
        return self.store.produce(key, make, lambda: self._provenance(STRUCTURE))

    def representation(self, run: Run) -> Entry:
        """Similarity (CKA) of hidden states, base against tuned, on each evaluated set."""
        hashes = {a: self.split(run.task, a).content_hash for a in run.task.evaluations}

        def make(_folder: Path) -> dict[str, Any]:
            base, tuned = (model.to(choose_device()) for model in self._pair(run))
            return {
                "cka": {
                    address: compare_representations(base, tuned, self._cka_batches(run, address))
                    for address in run.task.evaluations
                }
            }

        key = self._derived_key(REPRESENTATION, run, evaluations=hashes, items=CKA_ITEMS)
        return self.store.produce(key, make, lambda: self._provenance(REPRESENTATION))

    def items(self, task: TaskSettings, address: str) -> Entry:
        """The evaluated items as a table, and for words what the training split knows of them."""
        method = task.methods[0]
        payload = {
            "data": self.split(task, address).content_hash,
            "train": self.split(task, task.train).content_hash,
            "tokenizer": self.checkpoint(method).identity,
        }

        def make(_folder: Path) -> dict[str, Any]:
            return {
                "columns": self._items_frame(task, method, address).to_dict(orient="list"),
                "source": self.source(task, address),
                "training": self._training_sizes(task),
            }

        key = Key(ITEMS.name, f"{task.name}-{address.replace(':', '-')}", ITEMS.version, payload)
        return self.store.produce(key, make, lambda: self._provenance(ITEMS))

    def _complete_tasks(self) -> ledger.Ledger:
        for task in self.profile.tasks.values():
            self._complete_task(task)
        self._ledger.save(self.store.root)
        return self._ledger

    def _complete_task(self, task: TaskSettings) -> None:
        items = {address: self.items(task, address) for address in task.evaluations}
        self._ledger.record_task(task.name, {"items": {a: e.name for a, e in items.items()}})
        summary = self.evidence(task)
        if summary:
            self._ledger.record_task(task.name, {"evidence": summary.name})

    def evidence(self, task: TaskSettings) -> Entry | None:
        """Estimates, intervals, tests and analyses over all finished runs of a task."""
        finished = [
            run
            for run in plan_runs(self.profile)
            if run.task == task and self._ledger.finished(run.name)
        ]
        if not finished:
            return None
        predictions = {
            address: {run.name: self.predict(run, address) for run in finished}
            for address in task.evaluations
        }
        payload = {
            "items": {a: self.items(task, a).manifest()["digest"] for a in task.evaluations},
            "predictions": {
                address: [
                    [run.method.name, run.seed, entries[run.name].manifest()["digest"]]
                    for run in finished
                ]
                for address, entries in predictions.items()
            },
            "resamples": RESAMPLES,
            "seed": EVIDENCE_SEED,
        }
        key = Key(EVIDENCE.name, task.name, EVIDENCE.version, payload)

        def make(_folder: Path) -> dict[str, Any]:
            return self._summarise(task, finished, predictions)

        return self.store.produce(key, make, lambda: self._provenance(EVIDENCE))

    def _summarise(
        self, task: TaskSettings, runs: list[Run], predictions: dict[str, dict[str, Entry]]
    ) -> dict[str, Any]:
        methods = [m.name for m in task.methods if any(run.method == m for run in runs)]
        seeds = {m: [run.seed for run in runs if run.method.name == m] for m in methods}
        array = "predicted" if task.kind == "token" else "logits"
        stacked = {
            method: {
                address: np.stack(
                    [entries[run.name].arrays()[array] for run in runs if run.method.name == method]
                )
                for address, entries in predictions.items()
            }
            for method in methods
        }
        return self._summarise_arrays(task, stacked, seeds)

    def _summarise_arrays(
        self,
        task: TaskSettings,
        stacked: dict[str, dict[str, np.ndarray]],
        seeds: dict[str, list[int]],
    ) -> dict[str, Any]:
        training = self.split(task, task.train).items
        frames = {
            a: pd.DataFrame(self.items(task, a).result()["columns"]) for a in task.evaluations
        }
        if task.kind == "token":
            return summarise_tagging(
                frames,
                {address: language_of(address) for address in task.evaluations},
                stacked,
                seeds,
                self.labels(task),
                task.validation,
                train_words=[(word.form, word.upos) for item in training for word in item.words],
                rng_seed=EVIDENCE_SEED,
                resamples=RESAMPLES,
            )
        return summarise_acceptability(
            frames[task.validation],
            {name: arrays[task.validation] for name, arrays in stacked.items()},
            seeds,
            train_labels=[item.label for item in training],
            rng_seed=EVIDENCE_SEED,
            resamples=RESAMPLES,
            evaluation=task.validation,
        )

    # --------------------------------------------------------------------------------- helpers

    def _fresh_model(self, run: Run) -> nn.Module:
        labels = self.labels(run.task)
        checkpoint = self.checkpoint(run.method)
        return build_model(checkpoint, run.task.kind, len(labels), run.method, run.seed)

    def _trained_model(self, run: Run) -> nn.Module:
        model = self._fresh_model(run)
        load_trained(model, load_file(self.train(run, _silent()).path("trained.safetensors")))
        return model

    def _pair(self, run: Run) -> tuple[nn.Module, nn.Module]:
        """The model before training, with its initial head, and after it."""
        labels = self.labels(run.task)
        checkpoint = self.checkpoint(run.method)
        base, _ = load_base(checkpoint, run.task.kind, len(labels), run.seed)
        return base, self._trained_model(run)

    def _gold(self, task: TaskSettings, address: str) -> np.ndarray:
        items = self.split(task, address).items
        if task.kind == "token":
            index = {tag: number for number, tag in enumerate(self.labels(task))}
            return np.array([index[word.upos] for item in items for word in item.words])  # type: ignore[union-attr]
        return np.array([item.label for item in items])  # type: ignore[union-attr]

    def _items_frame(self, task: TaskSettings, method: MethodSettings, address: str) -> Any:
        split = self.split(task, address)
        if task.kind == "sequence":
            return acceptability_items(split)
        seen = training_vocabulary(self.split(task, task.train))
        return tagging_items(split, self.encoded(task, method, address).pieces.tolist(), seen)

    def _training_sizes(self, task: TaskSettings) -> dict[str, int]:
        items = self.split(task, task.train).items
        sizes = {"train_sentences": len(items)}
        if task.kind == "token":
            sizes["train_words"] = sum(len(item.words) for item in items)  # type: ignore[union-attr]
        return sizes

    def _schedule(self, run: Run) -> Any:
        features = len(self.encoded(run.task, run.method, run.task.train).features)
        return build_schedule(features, run.method.training)

    def _work(self, run: Run) -> float:
        """Token passes of a training (see ``progress``)."""
        passes = 3 if run.method.adapter is None and run.method.trainable == "all" else 2
        passes = 1 if run.method.adapter is None and run.method.trainable == "head" else passes
        tokens = self.encoded(run.task, run.method, run.task.train).tokens
        return float(passes * tokens * run.method.training.num_train_epochs)

    def _cka_batches(self, run: Run, address: str) -> Iterator[dict[str, Tensor]]:
        data = self.encoded(run.task, run.method, address)
        first = Encoded(data.features[:CKA_ITEMS], data.items[:CKA_ITEMS], data.pieces)
        tokenizer = self.tokenizer(self.checkpoint(run.method))
        for _, batch in length_sorted_batches(first, run.task.kind, tokenizer, 50):
            yield {name: tensor for name, tensor in batch.items() if name != "labels"}

    def _embedding_rows(self, run: Run, base: nn.Module, tuned: nn.Module) -> dict[str, Any] | None:
        """How far rows of the word embeddings moved that training did and did not touch."""
        if not (run.method.moves_encoder and run.method.adapter is None):
            return None
        before, after = (_word_embeddings(model) for model in (base, tuned))
        touched = np.zeros(len(before), dtype=bool)
        for feature in self.encoded(run.task, run.method, run.task.train).features:
            touched[feature["input_ids"]] = True
        rates = _learning_rates(run.method.training, self._schedule(run).steps_per_epoch)
        factor = weight_decay_factor(rates, run.method.training.weight_decay)
        return {**embedding_row_drift(before, after, touched, factor), "decay_factor": factor}

    def _untouched(self, run: Run, base: nn.Module, tuned: nn.Module) -> dict[str, Any]:
        """Whether every weight outside the trained ones is what it was, bit for bit."""
        check = untouched_outside(base, tuned, functools.partial(_is_trained, run.method))
        return {**dataclasses.asdict(check), "changed": list(check.changed)}

    def _provenance(self, stage: Stage) -> dict[str, Any]:
        return provenance.describe(stage.modules, describe_device())


def _is_trained(method: MethodSettings, parameter: str) -> bool:
    """Whether a method may change this parameter (canonical name)."""
    where = locate(parameter)
    if where.layer == HEAD:
        return True
    if isinstance(method.adapter, LoraSettings):
        return where.kind in method.adapter.roles
    return method.trainable == "all"


def _word_embeddings(model: nn.Module) -> Tensor:
    return next(
        parameter.detach()
        for name, parameter in model.named_parameters()
        if locate(name).kind == "word_embeddings"
    )


def _learning_rates(training: TrainingSettings, steps_per_epoch: int) -> list[float]:
    """The rate of every step, from the same schedule that the Trainer uses."""
    from transformers import get_scheduler

    steps = steps_per_epoch * training.num_train_epochs
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=training.learning_rate)
    warmup = int(np.ceil(steps * training.warmup_ratio))
    scheduler = get_scheduler(training.lr_scheduler_type, optimizer, warmup, steps)
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


def _step_listener(progress: Progress, work: float) -> StepListener:
    """Counts the steps before a resumption too: they are told with the first step after it."""
    told = 0

    def listen(step: int, loss: float | None) -> None:
        nonlocal told
        progress.advance(work * (step - told), loss)
        told = step

    return listen


def _silent() -> Progress:
    """For stages after training: their training entry is there already."""
    return Progress(1.0, 1)
