"""Tables of what was run, on what, with what, and what is missing."""

import sys
from typing import Any

from facts.quantities import Unit
from store.results import Results
from study.adapters import AdapterSettings
from study.addresses import language_of
from study.layers import HEAD, number_of_layers
from study.settings import MethodSettings, TaskSettings
from tables.specification import Context, Row, Table
from words.escaping import escape_markdown as escape
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
    main = task.methods[0]
    validation, *tests = (_data(at, task.name, address) for address in task.evaluations)
    seeds = [run.seed for run in at.results.of_task(task.name) if run.method == main.name]
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
    layers = number_of_layers(at.facts.where(quantity="distance", **key).distinct("layer"))
    states = at.facts.where(quantity="similarity", **key).distinct("layer")
    passes = max(map(int, states), default=0)
    counted, parameters = at.count(layers or None), at.numbers.value(total)
    said = at.say("setup_encoder", name=name, layers=counted, parameters=parameters)
    if passes > layers > 0:  # ALBERT: states of many layers, weights of one
        said = at.say("setup_shared", encoder=said, passes=at.count(passes))
    # A cased vocabulary that is lowered is another input than the encoder was pretrained with.
    runs = at.results.of_task(task.name)
    notes = [r.machine.get("tokenizer_removes", "") for r in runs if r.method == method.name]
    removed = dict.fromkeys(what for note in notes for what in note.split(",") if what)
    warned = [at.say(f"tokenizer_removes_{what}") for what in removed]
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
    corpus, split = address.split(":", 1)
    name = f"{at.name(corpus)} ({at.name(language_of(address))}), {at.name(split)}"
    key = "setup_sentences" if words == MISSING else "setup_data"
    return at.say(key, name=name, sentences=sentences, words=words)


def _method(at: Context, task: TaskSettings, method: MethodSettings) -> str:
    rate = at.numbers.write(method.training.learning_rate, Unit.SMALL, 0)
    if (own := method.training.head_learning_rate) is not None:
        rate = at.say("setup_head_rate", rate=rate, head=at.numbers.write(own, Unit.SMALL, 0))
    text = at.say("setup_method", trained=_what_is_trained(at, method), rate=rate)
    if method.model_name_or_path == task.methods[0].model_name_or_path:
        return text
    return f"{text}; {_encoder(at, task, method)}"


def _what_is_trained(at: Context, method: MethodSettings) -> str:
    if method.adapter is not None:
        return _adapter(at, method.adapter)
    if method.trainable == "all":
        return at.say("trains_all")
    head = at.numbers.words.name(HEAD, case="definite")
    return at.say("trains_bias") if method.trainable == "bias" else head


def _adapter(at: Context, adapter: AdapterSettings) -> str:
    options = adapter.options
    modules = options.get("target_modules", ())
    if adapter.is_plain_lora and len(options) == 4:
        return at.say(
            "trains_lora",
            r=options["r"],
            alpha=options["lora_alpha"],
            dropout=at.numbers.write(options["lora_dropout"], Unit.PLAIN, 1),
            modules=at.name(modules) if isinstance(modules, str) else at.names(modules),
        )
    if set(options) == {"num_virtual_tokens"}:
        return at.say("trains_prefix", tokens=options["num_virtual_tokens"])
    shown = {
        name: at.names(map(str, value)) if isinstance(value, list) else escape(str(value))
        for name, value in options.items()
    }
    listed = "; ".join(f"{escape(name)} = {text}" for name, text in shown.items())
    return at.say("trains_other", peft_type=adapter.peft_type, options=listed)


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
    results = at.results
    found = {
        "rendered_with": ".".join(str(part) for part in sys.version_info[:3]),
        "trained_with": _unique(results, "python"),
        "platform": _unique(results, "platform"),
        "device": _unique(results, "device"),
        "commit": _commits(at),
        "time": _period(results),
        "training_time": at.numbers.write(results.training_seconds, Unit.SECONDS),
        "runs": at.say("result_runs", done=results.finished, missing=len(results.missing)),
        "changed_modules": _stale(at),
        "versions": _versions(results),
    }
    rows = [Row((at.say(f"fact_{key}"), value or MISSING)) for key, value in found.items()]
    sources = [(r.task, item, source) for r in results.runs for item, source in r.sources.items()]
    for task, name, source in dict.fromkeys(sources):
        item = at.say("source_encoder") if name == "model" else escape(name)
        rows.append(Row((f"{at.name(task)}: {item}", escape(source))))
    return Table(at.titles("fact", "value"), rows)


def _unique(results: Results, key: str) -> str:
    return "; ".join(escape(str(value)) for value in results.machines(key))


def _commits(at: Context) -> str:
    texts = []
    for run in at.results.runs:
        commit = run.machine.get("commit")
        text = escape(commit[:12]) if commit else at.say("no_commit")
        texts.append(f"{text} {at.say('dirty')}" if commit and run.machine["dirty"] else text)
    return "; ".join(dict.fromkeys(texts))


def _period(results: Results) -> str:
    times = sorted(map(str, results.machines("time")))
    ends = dict.fromkeys((times[0], times[-1])) if times else {}
    return " – ".join(escape(time) for time in ends)


def _stale(at: Context) -> str:
    stale = at.results.stale().items()
    parts = [f"{escape(stage)}: {', '.join(map(escape, modules))}" for stage, modules in stale]
    return "; ".join(parts) or at.say("none_changed")


def _versions(results: Results) -> str:
    found: dict[str, set[str]] = {}
    for run in results.runs:
        for name, version in run.machine.get("packages", {}).items():
            found.setdefault(name, set()).add(version)
    return ", ".join(f"{escape(n)} {escape('/'.join(sorted(v)))}" for n, v in found.items())


def missing(at: Context) -> Table:
    """Runs that the settings ask for and the report lacks; a sentence where there are none."""
    done = at.results.finished
    rows = [Row((escape(gap.run), at.name(gap.reason))) for gap in at.results.missing]
    note = at.say("note_missing", missing=len(rows), wanted=len(rows) + done)
    complete = at.say("nothing_missing", count=done)
    return Table(at.titles("run", "reason"), rows, notes=[note], empty=complete)
