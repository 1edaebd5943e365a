"""Tables of what was run, on what, with what, and what is missing."""

import sys
from typing import Any

import pandas as pd

from facts.quantities import Unit
from study.architecture import HEAD, number_of_layers
from study.settings import LoraSettings, MethodSettings, PrefixSettings, TaskSettings, language_of
from tables.markdown import escape_markdown as escape
from tables.specification import Context, Row, Table
from words.wording import MISSING


def setup(at: Context) -> Table:
    """What was run, a column a task: encoder, data, methods with what they train, seeds."""
    tasks = list(at.results.profile.tasks.values())
    columns = [_setup_of(at, task) for task in tasks]
    labels = dict.fromkeys(label for column in columns for label in column)
    rows = [Row((label, *(column.get(label, MISSING) for column in columns))) for label in labels]
    some = tasks[0].methods[0].training
    note = at.say(
        "note_setup",
        decay=at.numbers.write(some.weight_decay, Unit.PLAIN, 2),
        warmup=at.numbers.write(some.warmup_ratio, Unit.PERCENT, 0, bare=True),
        scheduler=at.name(some.lr_scheduler_type),
        length=some.max_length,
    )
    heads = [at.title("fact"), *(at.name(task.name) for task in tasks)]
    return Table(heads, rows, notes=[note if _same_training(tasks) else ""])


def _setup_of(at: Context, task: TaskSettings) -> dict[str, str]:
    """What the table says of one task, by the label of the row."""
    main, runs = task.methods[0], at.results.provenance
    validation, *tests = (_data(at, task.name, address) for address in task.evaluations)
    seeds = runs[(runs["task"] == task.name) & (runs["method"] == main.name)]["seed"]
    batch = main.training.per_device_train_batch_size
    length = at.say("setup_length", epochs=main.training.num_train_epochs, batch=batch)
    return {
        at.title("encoder"): _encoder(at, task, main),
        at.say("fact_training_data"): _training_data(at, task),
        at.say("fact_validation_data"): validation,
        at.say("fact_test_data"): "; ".join(tests) or MISSING,
        **{at.head(method.name): _method(at, task, method) for method in task.methods},
        at.say("fact_length"): length,
        at.title("seeds"): ", ".join(map(str, seeds)) or MISSING,
    }


def _encoder(at: Context, task: TaskSettings, method: MethodSettings) -> str:
    name = at.numbers.words.model(method.model_name_or_path)
    key: dict[str, Any] = {"task": task.name, "method": method.name}
    total = at.facts.one("cost", **key, metric="total_parameters")
    if not total.known:
        return name
    layers = at.facts.where(quantity="distance", **key).distinct("layer")
    counted = at.count(number_of_layers(layers) or None)
    parameters = at.numbers.value(total)
    said = at.say("setup_encoder", name=name, layers=counted, parameters=parameters)
    # A cased vocabulary that is lowered is another input than the encoder was pretrained with.
    runs = at.results.provenance
    own = runs[(runs["task"] == task.name) & (runs["method"] == method.name)]
    removed = ",".join(own["tokenizer_removes"].dropna()).split(",")
    warned = [at.say(f"tokenizer_removes_{what}") for what in dict.fromkeys(removed) if what]
    return "; ".join([said, *warned])


def _data(at: Context, task: str, address: str) -> str:
    sizes = {
        metric: at.facts.one("size", task=task, evaluation=address, metric=metric)
        for metric in ("items", "sentences", "words")
    }
    sentences = sizes["sentences"] if sizes["sentences"].known else sizes["items"]
    return _described(at, address, at.numbers.value(sentences), at.numbers.value(sizes["words"]))


def _training_data(at: Context, task: TaskSettings) -> str:
    """The size of the training split is stored with each run: all runs of a task have the same."""
    sizes = []
    for metric in ("train_sentences", "train_words"):
        found = at.facts.where(quantity="cost", task=task.name, metric=metric, seed=None)
        sizes.append(at.numbers.value(found[0]) if found else MISSING)
    return _described(at, task.train, *sizes)


def _described(at: Context, address: str, sentences: str, words: str) -> str:
    corpus, split = address.split(":")
    name = f"{at.name(corpus)} ({at.name(language_of(address))}), {at.name(split)}"
    key = "setup_sentences" if words == MISSING else "setup_data"
    return at.say(key, name=name, sentences=sentences, words=words)


def _method(at: Context, task: TaskSettings, method: MethodSettings) -> str:
    rate = at.numbers.write(method.training.learning_rate, Unit.SMALL, 0)
    text = at.say("setup_method", trained=_what_is_trained(at, method), rate=rate)
    if method.model_name_or_path == task.methods[0].model_name_or_path:
        return text
    return f"{text}; {_encoder(at, task, method)}"


def _what_is_trained(at: Context, method: MethodSettings) -> str:
    adapter = method.adapter
    if isinstance(adapter, LoraSettings):
        return at.say(
            "trains_lora",
            r=adapter.r,
            alpha=adapter.lora_alpha,
            dropout=at.numbers.write(adapter.lora_dropout, Unit.PLAIN, 1),
            roles=at.names(adapter.roles),
        )
    if isinstance(adapter, PrefixSettings):
        return at.say("trains_prefix", tokens=adapter.num_virtual_tokens)
    if method.trainable == "all":
        return at.say("trains_all")
    return at.numbers.words.name(HEAD, case="definite")


def _same_training(tasks: list[TaskSettings]) -> bool:
    """Whether all methods share what the note under the table says once."""
    shared = {
        (t.weight_decay, t.warmup_ratio, t.lr_scheduler_type, t.max_length)
        for task in tasks
        for t in (method.training for method in task.methods)
    }
    return len(shared) == 1


# ----------------------------------------------------------------------------------- environment


def environment(at: Context) -> Table:
    """What the results were made with, where corpora and encoders came from, what renders them."""
    frame = at.results.provenance
    seconds = at.facts.where(quantity="cost", metric="training_seconds")
    trained = sum(fact.value or 0.0 for fact in seconds if fact.seed is not None)
    found = {
        "rendered_with": ".".join(str(part) for part in sys.version_info[:3]),
        "trained_with": _unique(frame, "python"),
        "platform": _unique(frame, "platform"),
        "device": _unique(frame, "device"),
        "commit": _commits(at, frame),
        "time": _period(frame),
        "training_time": at.numbers.write(trained, Unit.SECONDS),
        "runs": at.say("result_runs", done=len(frame), missing=len(at.results.missing)),
        "changed_modules": _stale(at),
        "versions": _versions(frame),
    }
    rows = [Row((at.say(f"fact_{key}"), value or MISSING)) for key, value in found.items()]
    for row in at.results.sources.drop_duplicates(["task", "item", "source"]).itertuples():
        item = at.say("source_encoder") if row.item == "model" else escape(str(row.item))
        rows.append(Row((f"{at.name(str(row.task))}: {item}", escape(str(row.source)))))
    return Table(at.titles("fact", "value"), rows)


def _unique(frame: pd.DataFrame, column: str) -> str:
    values = frame[column].dropna().drop_duplicates() if column in frame else []
    return "; ".join(escape(str(value)) for value in values)


def _commits(at: Context, frame: pd.DataFrame) -> str:
    texts = []
    pairs = frame[["commit", "dirty"]] if "commit" in frame else pd.DataFrame()
    for commit, dirty in pairs.drop_duplicates().to_numpy():
        known = isinstance(commit, str) and commit
        text = escape(commit[:12]) if known else at.say("no_commit")
        texts.append(f"{text} {at.say('dirty')}" if known and dirty is True else text)
    return "; ".join(dict.fromkeys(texts))


def _period(frame: pd.DataFrame) -> str:
    times = sorted(str(time) for time in frame["time"].dropna())
    ends = dict.fromkeys((times[0], times[-1])) if times else {}
    return " – ".join(escape(time) for time in ends)


def _stale(at: Context) -> str:
    stale = at.results.stale().items()
    parts = [f"{escape(stage)}: {', '.join(map(escape, modules))}" for stage, modules in stale]
    return "; ".join(parts) or at.say("none_changed")


def _versions(frame: pd.DataFrame) -> str:
    found: dict[str, set[str]] = {}
    for of_run in frame.get("packages", ()):
        for name, version in of_run.items():
            found.setdefault(name, set()).add(version)
    return ", ".join(f"{escape(n)} {escape('/'.join(sorted(v)))}" for n, v in found.items())


def missing(at: Context) -> Table:
    """Runs that the settings ask for and the report lacks; a sentence where there are none."""
    done = len(at.results.provenance)
    rows = [Row((escape(gap.run), at.name(gap.reason))) for gap in at.results.missing]
    note = at.say("note_missing", missing=len(rows), wanted=len(rows) + done)
    complete = at.say("nothing_missing", count=done)
    return Table(at.titles("run", "reason"), rows, notes=[note], empty=complete)
