"""The model card of an exported run: ``README.md`` with a YAML header, made from facts."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from corpora.hub import GLUE_ID, UD_ID
from facts.fact import Fact
from facts.table import Facts
from runs.grid import Run
from store.entries import Entry
from store.results import Results, RunRecord
from study.addresses import language_of
from words.numbers import Numbers, unmark
from words.wording import load_wording

METRICS = {
    "sequence": ("matthews_correlation", "accuracy", "f1"),
    "token": ("accuracy", "macro_f1"),
}
PIPELINES = {"sequence": "text-classification", "token": "token-classification"}
AUTOMATIC = {
    "sequence": "AutoModelForSequenceClassification",
    "token": "AutoModelForTokenClassification",
}
READING = {
    "sequence": """text = "A sentence."
inputs = tokenizer(text, truncation=True, max_length={length}, return_tensors="pt")
label = model.config.id2label[int(model(**inputs).logits.argmax())]""",
    "token": """words = ["A", "sentence", "."]  # a word has the label of its first piece
inputs = tokenizer(
    words, is_split_into_words=True, truncation=True, max_length={length}, return_tensors="pt"
)
labels, places = model(**inputs).logits[0].argmax(-1), inputs.word_ids()
tags = [model.config.id2label[int(labels[places.index(i)])] for i in range(len(words))]""",
}
CARD = """---
{header}
---

# {name}

{what} It was trained by a study that compares full fine-tuning with adapters; everything below is
taken from its stored results.

## Loading it

With this folder as `folder`:

```python
{code}
```

## Scores

{scores}

Intervals are of 95 % and over {covers}; the metric of a single run has none.

## Data

{data}

## Settings

{settings}

## Where it comes from

{origin}

The corpora and the pretrained encoder keep their own licences.
"""


def write_card(results: Results, run: Run, trained: Entry, folder: Path) -> None:
    """Writes a run's card beside its exported model, whose files decide how it is loaded."""
    records = (*results.runs, *results.variants)
    record = next(record for record in records if record.run == run.name)
    scores = _scores(results.facts, run)
    intervals = [fact.covers for _, fact in scores if fact.covers]
    card = CARD.format(
        header=_header(run, scores),
        name=run.name,
        what=_what(run),
        code=_code(run, folder),
        scores="\n".join(_score_lines(scores)),
        covers=intervals[0] if intervals else "items",
        data="\n".join(f"- {item}: {source}" for item, source in record.sources.items()),
        settings="\n".join(f"- `{name}`: {value}" for name, value in _settings(run)),
        origin="\n".join(_origin(record, trained)),
    )
    (folder / "README.md").write_text(card, encoding="utf-8", newline="\n")


def _scores(facts: Facts, run: Run) -> list[tuple[Fact, Fact]]:
    """Scores on whole evaluated sets: of the run itself, and of its method over all seeds."""
    key: dict[str, Any] = {"task": run.task.name, "method": run.method.name}
    key["variant"] = run.variant.name if run.variant else ""
    pairs = [
        (facts.one("score", **place, seed=run.seed), facts.one("score", **place))
        for address in run.task.evaluations
        for metric in METRICS[run.task.kind]
        for place in [{**key, "evaluation": address, "metric": metric}]
    ]
    return [(own, method) for own, method in pairs if own.known]


def _header(run: Run, scores: list[tuple[Fact, Fact]]) -> str:
    addresses = (run.task.train, *run.task.evaluations)
    corpora = dict.fromkeys(GLUE_ID if a.startswith("cola:") else UD_ID for a in addresses)
    data = ModelCardData(
        model_name=run.name,
        language=list(dict.fromkeys(map(language_of, addresses))),
        library_name="transformers" if run.method.adapter is None else "peft",
        pipeline_tag=PIPELINES[run.task.kind],
        # A commit is the sign of a model of the hub; a folder's or a package's name is none there.
        base_model=run.method.model_name_or_path if run.method.revision else None,
        datasets=list(corpora) if run.task.origin == "hub" else None,
        metrics=list(METRICS[run.task.kind]),
        eval_results=[
            EvalResult(
                task_type=PIPELINES[run.task.kind],
                dataset_type=own.evaluation.split(":")[0],
                dataset_name=own.evaluation.split(":")[0],
                dataset_split=own.evaluation.split(":")[1],
                metric_type=own.metric,
                metric_value=own.value,
            )
            for own, _ in scores
        ],
    )
    text: str = data.to_yaml()
    return text


def _what(run: Run) -> str:
    base = f"`{run.method.model_name_or_path}`"
    if run.method.revision:
        base += f" (commit `{run.method.revision}`)"
    if run.method.adapter is not None:
        return f"An adapter for {base}, with its classification head."
    trained = {"all": "all weights", "bias": "biases and the head", "head": "the head alone"}
    return f"A classifier on {base}; trained: {trained[run.method.trainable]}."


def _code(run: Run, folder: Path) -> str:
    automatic = AUTOMATIC[run.task.kind]
    adapter = run.method.adapter is not None
    lines = [f"from transformers import AutoConfig, {automatic}, AutoTokenizer"]
    if adapter:
        named = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        where = f'"{named["base_model_name_or_path"]}", revision="{named["revision"]}"'
        if (folder / named["base_model_name_or_path"]).is_dir():
            where = f'f"{{folder}}/{named["base_model_name_or_path"]}"'
        lines += [
            "from peft import PeftModel",
            "config = AutoConfig.from_pretrained(folder)  # names the labels",
            f"base = {automatic}.from_pretrained({where}, config=config)",
            "model = PeftModel.from_pretrained(base, folder).eval()",
        ]
    else:
        lines += [f"model = {automatic}.from_pretrained(folder)"]
    lines += ["tokenizer = AutoTokenizer.from_pretrained(folder)"]
    length = run.method.training.max_length
    return "\n".join([*lines, READING[run.task.kind].format(length=length)])


def _score_lines(scores: list[tuple[Fact, Fact]]) -> Iterator[str]:
    numbers = Numbers(load_wording("en"))
    yield "| evaluated set | metric | this run | the method, mean over seeds |"
    yield "|---|---|---|---|"
    for own, method in scores:
        name = numbers.words.name(own.metric)
        mean = f"{numbers.value(method)} {numbers.interval(method)}".strip()
        seeds = f"{mean} ({method.seeds} seed{'' if method.seeds == 1 else 's'})"
        line = unmark(f"| {own.evaluation} | {name} | {numbers.value(own)} | {seeds} |")
        yield line.replace("\u00a0", " ")


def _settings(run: Run) -> Iterator[tuple[str, Any]]:
    yield "seed", run.seed
    for name, value in dataclasses.asdict(run.method.training).items():
        if value is not None:
            yield name, value
    if adapter := run.method.adapter:
        yield "adapter", json.dumps({"peft_type": adapter.peft_type, **adapter.options})


def _origin(record: RunRecord, trained: Entry) -> Iterator[str]:
    machine = record.machine
    state = " and changes that were not committed" if machine.get("dirty") else ""
    yield f"- code: commit {machine.get('commit') or 'unknown'}{state}"
    yield f"- trained: {machine['time']} on {machine['device']}, in {machine['precision']}"
    packages = machine["packages"]
    named = [name for name in ("torch", "transformers", "peft") if name in packages]
    yield f"- packages: {', '.join(f'{name} {packages[name]}' for name in named)}"
    yield f"- stored result: `{trained.name}`"
