"""Whole studies from random data, without training: what tables, figures and answers are tested on.

Predictions are drawn at random and summarised by the real evidence functions; costs, curves, drift
and representations follow simple formulas. What a method *does* lies in its ``Traits`` alone: the
noise depends on task and seed, not on the method's name, so that two methods with the same traits
have identical results, and exchanging the traits of two methods exchanges their results exactly.
"""

import functools
import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from corpora.items import UPOS_TAGS
from evidence.acceptability import summarise_acceptability
from evidence.forgetting import MaskedLosses, summarise_forgetting
from evidence.tagging import summarise_tagging
from facts.fact import Fact
from facts.table import Facts
from store import run_facts
from store.reading import gather
from store.results import Missing, Results, RunRecord
from study.adapters import AdapterSettings
from study.addresses import language_of
from study.layers import EMBEDDINGS, HEAD, POOLER
from study.settings import (
    MethodSettings,
    Profile,
    Roles,
    TaskSettings,
    TrainingSettings,
    find_roles,
)

TAGS = UPOS_TAGS  # INTJ, SYM and X do not occur in the synthetic words
EPOCHS, STEPS_PER_EPOCH, LOG_EVERY, EVALUATE_EVERY = 3, 20, 2, 4
HIDDEN, VOCABULARY = 64, 5000


@dataclass(frozen=True)
class Traits:
    """What decides the results of a method.

    Attributes:
        quality: mean margin of the CoLA logits for the right label.
        error: share of wrong tags in the language of training.
        drop: further share of wrong tags in every other language.
        seconds: training time.
        peak_memory: bytes.
        trainable: share of the parameters that is trained.
        drift: size of the encoder's relative change; 0 for an encoder that stays as it is.
        intruders: per matrix.
        overfits: by how much the validation loss rises after its minimum.
        adapter: as in the settings.
        trains: ``MethodSettings.trainable``.
        layers: encoder layers.
        model: name of the encoder.
    """

    quality: float = 0.7
    error: float = 0.06
    drop: float = 0.12
    seconds: float = 100.0
    peak_memory: float = 1.2e9
    trainable: float = 1.0
    drift: float = 0.01
    intruders: int = 1
    overfits: float = 0.2
    adapter: AdapterSettings | None = None
    trains: str = "all"
    layers: int = 4
    model: str = "synthetic/encoder"


MATRIX_KINDS = (  # of BERT, whose names most encoders share
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
LORA = AdapterSettings.of(
    "LORA", r=8, lora_alpha=16, lora_dropout=0.1, target_modules=["query", "value"]
)
TRAITS: Mapping[str, Traits] = MappingProxyType(
    {
        "full": Traits(),
        "lora": Traits(
            quality=0.6,
            error=0.07,
            drop=0.1,
            seconds=70,
            peak_memory=0.7e9,
            trainable=0.004,
            drift=0.004,
            intruders=3,
            overfits=0.0,
            adapter=LORA,
        ),
        "frozen": Traits(
            quality=0.2,
            error=0.25,
            drop=0.2,
            seconds=20,
            peak_memory=0.3e9,
            trainable=0.0002,
            drift=0.0,
            overfits=0.0,
            trains="head",
        ),
        "prefix": Traits(
            quality=0.5,
            error=0.12,
            seconds=65,
            trainable=0.002,
            adapter=AdapterSettings.of("PREFIX_TUNING", num_virtual_tokens=20),
        ),
        "monolingual": Traits(error=0.05, drop=0.35, model="synthetic/english", layers=3),
    }
)


def build_study(
    methods: Sequence[str] = ("full", "lora", "frozen"),
    seeds: Sequence[int] = (42, 43, 44),
    languages: Sequence[str] = ("de",),
    *,
    traits: Mapping[str, Traits] | None = None,
    missing: Collection[str] = (),
    cola_methods: Sequence[str] | None = None,
    pos_methods: Sequence[str] | None = None,
    sentences: int = 200,
    words: int = 900,
    phenomena: Sequence[str] = ("agreement", "islands", "reflexives"),
    acceptable: float = 0.7,
    resamples: int = 200,
    name: str = "synthetic",
) -> Results:
    """A finished study of both tasks; built once for the same arguments, so do not change it.

    Args:
        methods: names, in the settings' order; unknown ones get ``Traits()``.
        seeds: of every method.
        languages: codes of the target languages of tagging; the source is English.
        traits: what differs from ``TRAITS``.
        missing: names of runs (``pos-lora-seed43``) that were not run.
        cola_methods: methods of this task, if not ``methods``.
        pos_methods: methods of this task, if not ``methods``.
        sentences: evaluated sentences of CoLA.
        words: evaluated words of each language.
        phenomena: labels of the CoLA items; none for a corpus without them.
        acceptable: share of acceptable sentences, about.
        resamples: of the bootstrap.
        name: of the profile.
    """
    chosen = {
        task: tuple(
            (method, {**TRAITS, **(traits or {})}.get(method, Traits()))
            for method in (own if own is not None else methods)
        )
        for task, own in (("cola", cola_methods), ("pos", pos_methods))
    }
    return _build(
        chosen["cola"],
        chosen["pos"],
        tuple(seeds),
        tuple(languages),
        frozenset(missing),
        sentences,
        words,
        tuple(phenomena),
        acceptable,
        resamples,
        name,
    )


@functools.lru_cache(maxsize=32)
def _build(
    cola: tuple[tuple[str, Traits], ...],
    pos: tuple[tuple[str, Traits], ...],
    seeds: tuple[int, ...],
    languages: tuple[str, ...],
    missing: frozenset[str],
    sentences: int,
    words: int,
    phenomena: tuple[str, ...],
    acceptable: float,
    resamples: int,
    name: str,
) -> Results:
    targets = tuple(f"{code}_syn:test" for code in languages)
    tasks = {
        "cola": _task("cola", "sequence", "cola:train", ("cola:validation",), cola, seeds),
        "pos": _task("pos", "token", "en_syn:train", ("en_syn:validation", *targets), pos, seeds),
    }
    absent = [
        Missing(run, "not run yet")
        for task, traits in (("cola", cola), ("pos", pos))
        for method, seed in itertools.product(traits, seeds)
        if (run := f"{task}-{method[0]}-seed{seed}") in missing
    ]
    done = {
        task: {
            method: [s for s in seeds if f"{task}-{method}-seed{s}" not in missing]
            for method, _ in traits
        }
        for task, traits in (("cola", cola), ("pos", pos))
    }
    done = {t: {m: s for m, s in of_task.items() if s} for t, of_task in done.items()}
    roles = {
        name: find_roles([m for m in task.methods if m.name in done[name]])
        for name, task in tasks.items()
    }
    acceptability, cola_items = _cola(
        dict(cola), done["cola"], sentences, phenomena, acceptable, resamples, roles["cola"]
    )
    tagging, pos_items = _pos(
        dict(pos), done["pos"], tasks["pos"].evaluations, words, resamples, roles["pos"]
    )
    of_tasks = [*acceptability, *tagging]
    every = {"cola": dict(cola), "pos": dict(pos)}
    scores = Facts(of_tasks).where(quantity="score", tag="", group="")
    runs, of_runs = _runs(every, tasks, done, scores)
    of_tasks += run_facts.size_facts("cola", {"cola:validation": cola_items})
    of_tasks += run_facts.size_facts("pos", pos_items)
    of_tasks += _prices(every, done)
    of_tasks += _restoration(tasks, done, scores)
    of_tasks += _forgetting(every, tasks, done, resamples)
    profile = Profile(name, "a synthetic study", tasks)
    wrong = [{"kind": "always wrong", "evaluation": "cola:validation", "item": n} for n in (1, 2)]
    return Results(
        profile=profile,
        missing=tuple(absent),
        facts=gather(profile, of_runs, of_tasks),
        runs=tuple(runs),
        items={"cola": {"cola:validation": cola_items}, "pos": pos_items},
        examples={"cola": pd.DataFrame(wrong), "pos": pd.DataFrame(_errors(pos_items))},
    )


def _errors(items: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """One error in the last evaluated set, whose words are made up like all others."""
    place = {"kind": "typical error", "evaluation": list(items)[-1], "item": 3, "method": "full"}
    return [{**place, "predicted": "PROPN", "cause": "capitalisation", "count": 5}]


# -------------------------------------------------------------------------------------- settings


def _task(
    name: str,
    kind: str,
    train: str,
    evaluations: tuple[str, ...],
    methods: tuple[tuple[str, Traits], ...],
    seeds: tuple[int, ...],
) -> TaskSettings:
    built = tuple(_method(method, traits) for method, traits in methods)
    return TaskSettings(name, kind, "miniature", train, evaluations, built, seeds)


def _method(name: str, traits: Traits) -> MethodSettings:
    training = TrainingSettings(
        learning_rate=1e-3 if traits.adapter else 1e-4,
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=32,
        per_device_eval_batch_size=64,
        weight_decay=0.01,
        warmup_ratio=0.1,
        lr_scheduler_type="linear",
        max_grad_norm=1.0,
        max_length=128,
        evaluations_per_epoch=STEPS_PER_EPOCH // EVALUATE_EVERY,
        validation_items=0,
    )
    return MethodSettings(name, traits.model, "", traits.trains, traits.adapter, training)


# -------------------------------------------------------------------------------------- evidence


def _cola(
    traits: dict[str, Traits],
    seeds: dict[str, list[int]],
    count: int,
    phenomena: tuple[str, ...],
    acceptable: float,
    resamples: int,
    roles: Roles,
) -> tuple[list[Fact], pd.DataFrame]:
    rng = np.random.default_rng(11)
    items = pd.DataFrame(
        {
            "text": [f"sentence {n}" for n in range(count)],
            "label": (rng.random(count) < acceptable).astype(int),
            "source": "synthetic",
            "domain": rng.choice(["in", "out"], count),
            "phenomenon": rng.choice([*phenomena, ""] if phenomena else [""], count),
            "length": rng.integers(2, 20, count),
        }
    )
    if not seeds:
        return [], items
    difficulty = rng.normal(size=count)
    sign = 2 * items["label"].to_numpy() - 1
    logits = {}
    for method, of_method in seeds.items():
        noise = [np.random.default_rng(seed).normal(size=count) for seed in of_method]
        margin = traits[method].quality * sign + 0.3 + 0.5 * difficulty + 0.6 * np.stack(noise)
        logits[method] = np.stack([-margin / 2, margin / 2], axis=-1).astype(np.float32)
    summary = summarise_acceptability(
        items,
        logits,
        seeds,
        rng_seed=7,
        resamples=resamples,
        train_labels=[1, 1, 0],
        roles=roles,
    )
    return summary, items


# Confusions of a tagger, and the tags' shares in running text.
_CONFUSED = {"NOUN": "PROPN", "PROPN": "NOUN", "DET": "PRON", "PRON": "DET", "ADP": "ADV"}
_CONFUSED |= {"ADJ": "ADV", "ADV": "ADJ", "AUX": "VERB", "VERB": "NOUN", "PART": "ADP"}
_SHARES = {"NOUN": 20, "PUNCT": 12, "VERB": 11, "ADP": 10, "DET": 10, "PRON": 8, "ADJ": 7}
_SHARES |= {"ADV": 6, "PROPN": 6, "AUX": 5, "CCONJ": 2, "NUM": 1, "PART": 1, "SCONJ": 1}


def _pos(
    traits: dict[str, Traits],
    seeds: dict[str, list[int]],
    evaluations: tuple[str, ...],
    count: int,
    resamples: int,
    roles: Roles,
) -> tuple[list[Fact], dict[str, pd.DataFrame]]:
    source = evaluations[0]
    items = {name: _words(name, count) for name in evaluations}
    if not seeds:
        return [], items
    predicted = {
        method: {
            name: np.stack(
                [_tagged(items[name], traits[method], name == source, seed) for seed in of_method]
            )
            for name in evaluations
        }
        for method, of_method in seeds.items()
    }
    languages = {name: language_of(name) for name in evaluations}
    seen = _words("en_syn:train", 2 * count)
    training = zip(seen["form"], seen["tag"], strict=True)
    summary = summarise_tagging(
        items,
        languages,
        predicted,
        seeds,
        TAGS,
        source,
        list(training),
        7,
        resamples,
        roles=roles,
    )
    return summary, items


def _words(evaluation: str, count: int) -> pd.DataFrame:
    rng = np.random.default_rng([ord(letter) for letter in evaluation])
    sentence = np.unique(np.sort(rng.integers(0, count // 12, count)), return_inverse=True)[1]
    shares = np.array(list(_SHARES.values())) / sum(_SHARES.values())
    tags = rng.choice(list(_SHARES), count, p=shares)
    german = not evaluation.startswith("en")
    ambiguous = rng.random(count) < 0.15
    stems = [_CONFUSED.get(t, t) if a else t for t, a in zip(tags, ambiguous, strict=True)]
    forms = [f"{stem.lower()}{rng.integers(0, 40)}" for stem in stems]
    capital = (tags == "PROPN") | (german & (tags == "NOUN"))
    frame = pd.DataFrame(
        {
            "sentence": sentence,
            "form": [f.capitalize() if c else f for f, c in zip(forms, capital, strict=True)],
            "tag": tags,
            "deprel": np.where((tags == "ADP") & (rng.random(count) < 0.2), "compound:prt", ""),
            "xpos": "",
            "head": -1,
            "pieces": rng.choice([1, 2, 3, 5], count, p=[0.6, 0.2, 0.12, 0.08]),
            "seen": rng.random(count) < (0.15 if german else 0.85),
        }
    )
    length = np.bincount(sentence)[sentence]
    position = frame.groupby("sentence").cumcount()
    return frame.assign(length=length, position=position)


def _tagged(items: pd.DataFrame, traits: Traits, is_source: bool, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, is_source])
    rate = traits.error + (0.0 if is_source else traits.drop)
    rate = rate * np.where(items["tag"].isin(["NOUN", "PROPN", "DET", "ADP"]), 1.6, 0.6)
    wrong = rng.random(len(items)) < rate * np.where(items["pieces"] > 2, 1.5, 0.9)
    other = [_CONFUSED.get(tag, "X") for tag in items["tag"]]
    names = np.where(wrong & (rng.random(len(items)) < 0.8), other, items["tag"])
    names = np.where(wrong & (names == items["tag"]), "X", names)
    return np.array([TAGS.index(tag) for tag in names])


# ---------------------------------------------------------------------------------------- frames


def _runs(
    traits: dict[str, dict[str, Traits]],
    tasks: dict[str, TaskSettings],
    done: dict[str, dict[str, list[int]]],
    scores: Facts,
) -> tuple[list[RunRecord], list[Fact]]:
    records, facts = [], list[Fact]()
    for task, of_task in done.items():
        for method, seeds in of_task.items():
            for seed in seeds:
                head = {"task": task, "method": method, "seed": seed}
                facts += _run_facts(head, traits[task][method], tasks[task], scores)
                items = (tasks[task].train, *tasks[task].evaluations, "model")
                sources = {item: f"made at random ({item})" for item in items}
                run = f"{task}-{method}-seed{seed}"
                records.append(RunRecord(run, **head, machine=_MACHINE, sources=sources))
    return records, facts


def _run_facts(
    head: dict[str, Any], traits: Traits, task: TaskSettings, scores: Facts
) -> Iterator[Fact]:
    rng = np.random.default_rng([head["seed"], task.kind == "token", 5])
    # Drawn in this order whatever the method does, so that equal traits give equal runs.
    noises = {name: rng.random(size) for name, size in (("c", 400), ("d", 400), ("s", 400))}
    own = scores.where(evaluation=task.validation, **head)
    final = {fact.metric: fact.value for fact in own if fact.value is not None}
    costs = _costs(traits, 1 + 0.05 * (noises["c"][0] - 0.5))
    sizes = {"train_sentences": 640} | ({"train_words": 9000} if task.kind == "token" else {})
    yield from run_facts.cost_facts(head, {**costs, **sizes})
    curves = _curves(traits, costs["training_seconds"], final, task.kind, noises["c"])
    yield from run_facts.curve_facts(head, curves)
    settings = task.method(head["method"])
    if settings.mergeable:
        yield from run_facts.distance_facts(head, _drift(traits, task.kind, noises["d"]))
        left = 0 if settings.moves_encoder and settings.adapter is None else 40
        untouched = {"tensors": left, "parameters": 9000 * left, "changed": []}
        yield from run_facts.plain_facts(head, "untouched", untouched)
    if settings.moves_encoder:
        yield from run_facts.spectrum_facts(head, _structure(traits, noises["s"]))
        yield from run_facts.similarity_facts(head, _cka(traits, task, noises["s"]))
        if settings.adapter is None:
            yield from run_facts.plain_facts(head, "embedding rows", _EMBEDDING_ROWS)


_MACHINE: dict[str, Any] = {
    "time": "2026-01-01T00:00:00Z",
    "platform": "none",
    "python": "3.11.0",
    "device": "CPU, 2 threads",
    "commit": "0" * 40,
    "dirty": False,
    "packages": {"numpy": "2"},
    "device_kind": "cpu",
    "precision": "float32",
    "memory_kind": "resident",
    "pooler": "encoder",
}
_EMBEDDING_ROWS: dict[str, Any] = {
    "rows": VOCABULARY,
    "touched_rows": 1200,
    "touched_share": 0.24,
    "touched_mean": 0.02,
    "touched_max": 0.05,
    "untouched_mean": 1e-5,
    "untouched_max": 2e-5,
    "untouched_unchanged": 0,
    "decay_mean": 1e-5,
    "unexplained_max": 3e-7,
    "decay_factor": 0.99999,
}


def _costs(traits: Traits, wobble: float) -> dict[str, Any]:
    total = 22_000_000
    trainable = math.ceil(total * traits.trainable)
    steps, tokens = EPOCHS * STEPS_PER_EPOCH, 30000
    seconds = traits.seconds * wobble
    return {
        "training_seconds": seconds,
        "evaluation_seconds": 0.2 * seconds,
        "steps": steps,
        "tokens": tokens,
        "tokens_per_second": tokens / seconds,
        "peak_memory_bytes": int(traits.peak_memory * wobble),
        "trainable_parameters": trainable,
        "total_parameters": total,
        "memory_parameters_bytes": 4 * total,
        "memory_gradients_bytes": 4 * trainable,
        "memory_optimizer_bytes": 8 * trainable,
        "kept_bytes": 4 * trainable + 4000,
    }


def _curves(
    traits: Traits, seconds: float, final: Mapping[str, float], kind: str, noise: np.ndarray
) -> list[dict[str, Any]]:
    """Losses fall; validation loss then turns by ``overfits``; metrics end at the score."""
    steps = EPOCHS * STEPS_PER_EPOCH
    metrics = (
        ("matthews_correlation", "accuracy") if kind == "sequence" else ("accuracy", "macro_f1")
    )
    draws = iter(noise)
    rows = []
    for step in range(0, steps + 1, LOG_EVERY):
        progress = step / steps
        where = {
            "step": step,
            "epoch": step / STEPS_PER_EPOCH,
            "seconds": seconds * progress,
        }
        falling = 0.25 + 0.45 * math.exp(-4 * progress)
        if step:
            value = falling - 0.08 * progress + 0.02 * (next(draws) - 0.5)
            rows.append({**where, "split": "train", "metric": "loss", "value": value})
        if step % EVALUATE_EVERY == 0:
            turned = traits.overfits * max(0.0, progress - 0.5) * 2
            loss = falling + turned + 0.004 * (next(draws) - 0.5)
            values = {"loss": loss}
            wobble = 0.02 * (next(draws) - 0.5) * (step < steps)
            values |= {m: final[m] * (1 - math.exp(-5 * progress)) + wobble for m in metrics}
            if step == steps:
                values |= {m: final[m] for m in metrics}
            rows += [
                {**where, "split": "validation", "metric": name, "value": value}
                for name, value in values.items()
            ]
    return rows


def _drift(traits: Traits, kind: str, noise: np.ndarray) -> list[dict[str, Any]]:
    inner = dict.fromkeys(MATRIX_KINDS, 2 * HIDDEN**2)
    inner |= {"layer_norm": 4 * HIDDEN, "bias": 9 * HIDDEN}
    groups = {EMBEDDINGS: {"word_embeddings": VOCABULARY * HIDDEN, "layer_norm": 2 * HIDDEN}}
    groups |= {f"encoder.layer.{n}": inner for n in range(traits.layers)}
    groups |= {POOLER: {"pooler": HIDDEN**2, "bias": HIDDEN}} if kind == "sequence" else {}
    classes = 2 if kind == "sequence" else len(TAGS)
    groups |= {HEAD: {HEAD: classes * HIDDEN, "bias": classes}}
    draws, rows = iter(noise), []
    for depth, (layer, kinds) in enumerate(groups.items()):
        parts = []
        for name, count in kinds.items():
            norm = 0.0 if (layer, name) == (HEAD, "bias") else 0.05 * math.sqrt(count)
            size = _relative_change(traits, layer, name, depth) * (0.9 + 0.2 * next(draws))
            parts.append((name, count, norm, size * (norm or 0.05)))
        whole = (
            "all",
            sum(part[1] for part in parts),
            math.sqrt(sum(part[2] ** 2 for part in parts)),
            math.sqrt(sum(part[3] ** 2 for part in parts)),
        )
        rows += [_drift_row(layer, *part) for part in (whole, *parts)]
    return rows


def _relative_change(traits: Traits, layer: str, kind: str, depth: int) -> float:
    if layer == HEAD:
        return 0.5
    if not _adapted(traits, kind):
        return 0.0
    return traits.drift * (0.3 if layer == EMBEDDINGS else 0.5 + 0.3 * depth)


def _adapted(traits: Traits, kind: str) -> bool:
    """Whether a method changes matrices of this kind: all of them, or those of its adapter."""
    if traits.adapter is None:
        return True
    return kind.rpartition(".")[2] in traits.adapter.options.get("target_modules", ())


def _drift_row(layer: str, kind: str, count: int, norm: float, l2: float) -> dict[str, Any]:
    relative = l2 / norm if norm else None
    return {
        "layer": layer,
        "kind": kind,
        "parameters": count,
        "l2": l2,
        "relative": relative,
        "rms": l2 / math.sqrt(count),
        "angle": None if relative is None else math.atan(relative),
    }


def _structure(traits: Traits, noise: np.ndarray) -> list[dict[str, Any]]:
    draws, rows = iter(noise), []
    adapter = traits.adapter
    for layer, kind in itertools.product(range(traits.layers), MATRIX_KINDS):
        draw = next(draws)
        changed = _adapted(traits, kind)
        rank = (adapter.options["r"] if adapter else HIDDEN) if changed else 0
        rows.append(
            {
                "layer": f"encoder.layer.{layer}",
                "kind": kind,
                "rank": rank,
                "effective_rank": rank * (0.5 + 0.3 * draw) if changed else None,
                "top8_share": (1.0 if adapter else 0.4 + 0.2 * draw) if changed else None,
                "intruders": traits.intruders if changed else 0,
            }
        )
    return rows


def _cka(traits: Traits, task: TaskSettings, noise: np.ndarray) -> dict[str, Any]:
    layers = range(traits.layers + 1)
    moved = 10 * traits.drift**1.5
    cka = [1 - moved * (0.02 + layer**2) * (0.9 + 0.2 * noise[layer]) for layer in layers]
    return {"cka": dict.fromkeys(task.evaluations, cka), "tokens": 2000}


def _prices(
    traits: dict[str, dict[str, Traits]], done: dict[str, dict[str, list[int]]]
) -> Iterator[Fact]:
    """A step of each method; the whole trainings' seconds give the ratios."""
    for task, of_task in done.items():
        reference = next(iter(traits[task]))
        prices, cpu_prices = {}, {}
        for method in of_task:
            ratio = traits[task][method].seconds / traits[task][reference].seconds
            ends = (1.0, 1.0) if method == reference else (0.96, 1.04)
            low, high = (ratio * end for end in ends)
            price = {"seconds": 0.4 * ratio, "ratio": ratio, "low": low, "high": high, "steps": 30}
            prices[method], cpu_prices[method] = price, {"seconds": 0.7 * ratio}
        result = {"reference": reference, "prices": prices, "cpu_prices": cpu_prices}
        yield from run_facts.price_facts({"task": task}, result)
        yield from run_facts.latency_facts({"task": task}, {"methods": _latencies(of_task)})


def _latencies(methods: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Forward passes of the adapters: slower unmerged with one sentence, alike with many."""
    sizes = []
    for size, ratio, seconds in ((1, 1.4, 0.01), (32, 1.02, 0.2)):
        merged = {"seconds": seconds, "ratio": 1.0, "low": 1.0, "high": 1.0, "steps": 30}
        ends = {"ratio": ratio, "low": 0.98 * ratio, "high": 1.02 * ratio}
        unmerged = {**merged, **ends, "seconds": ratio * seconds}
        sizes.append({"size": size, "prices": {"unmerged": unmerged, "merged": merged}})
    return {method: sizes for method in methods if method == "lora"}


def _restoration(
    tasks: dict[str, TaskSettings], done: dict[str, dict[str, list[int]]], scores: Facts
) -> Iterator[Fact]:
    """The parts that moved further lose more when they are set back."""
    loss = {EMBEDDINGS: 0.01, "lower": 0.02, "middle": 0.1, "upper": 0.3, HEAD: 0.5}
    for task, of_task in done.items():
        metric = "accuracy" if tasks[task].kind == "token" else "matthews_correlation"
        moving = [name for name in of_task if tasks[task].method(name).moves_encoder]
        for method, evaluation in itertools.product(moving, tasks[task].evaluations):
            key = {"task": task, "method": method, "evaluation": evaluation, "metric": metric}
            reached, seeds = scores.one("score", **key).value or 0.0, len(of_task[method])
            covers, margin = ("items and seeds", 0.3) if seeds > 2 else ("items", 0.1)
            both: dict[str, Any] = {"n": 200, "seeds": seeds}
            for part, share in loss.items():
                place = {**key, "part": part, **both}
                yield Fact(quantity="score", **place, value=(1 - share) * reached)
                yield _lost(place, share * reached, margin, covers)
            for one, other in itertools.permutations(("lower", "middle", "upper"), 2):
                place = {**key, "part": one, "against": other, **both}
                yield _lost(place, (loss[one] - loss[other]) * reached, margin, covers)


def _lost(place: dict[str, Any], value: float, margin: float, covers: Any) -> Fact:
    ends = sorted((value * (1 - margin), value * (1 + margin)))
    return Fact(
        quantity="restoration", **place, value=value, low=ends[0], high=ends[1], covers=covers
    )


def _forgetting(
    traits: dict[str, dict[str, Traits]],
    tasks: dict[str, TaskSettings],
    done: dict[str, dict[str, list[int]]],
    resamples: int,
) -> Iterator[Fact]:
    """Encoders that moved further add more to the loss of two masked pieces a sentence."""
    rng = np.random.default_rng(13)
    base, pieces = rng.gamma(4, 1, 100), np.full(100, 2)
    for task, of_task in done.items():
        losses = {}
        for method, seeds in of_task.items():
            if tasks[task].method(method).moves_encoder:
                noise = [np.random.default_rng([seed, 17]).normal(size=100) for seed in seeds]
                added = 60 * traits[task][method].drift + 0.2 * np.stack(noise)
                losses[method] = MaskedLosses(seeds, base, base + added, pieces)
        roles = find_roles([m for m in tasks[task].methods if m.name in of_task])
        for evaluation in tasks[task].evaluations:
            key = {"task": task, "evaluation": evaluation}
            pair = (roles.reference, roles.adapter)
            yield from summarise_forgetting(losses, pair, 7, resamples, **key)


def with_facts(results: Results, *more: Fact) -> Results:
    """A copy of a study whose table of facts has these facts, in place of those of their keys."""
    keys = {fact.key for fact in more}
    kept = [fact for fact in results.facts if fact.key not in keys]
    return replace(results, facts=Facts([*kept, *more]))
