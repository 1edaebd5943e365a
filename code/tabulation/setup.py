"""Tables of what was run, on what, with what, and what is missing."""

import sys

import pandas as pd

from store.frames import select
from store.results import Results
from study.architecture import HEAD, number_of_layers
from study.settings import LoraSettings, MethodSettings, PrefixSettings, TaskSettings, language_of
from tabulation.cells import Cells, present
from tabulation.markdown import Table, escape
from words.wording import MISSING, Wording


def tabulate_setup(results: Results, words: Wording) -> Table:
    """What was run, a column a task: encoder, data, methods with what they train, seeds."""
    cells, tasks = Cells(words), list(results.profile.tasks.values())
    columns = [_setup_of(results, task, cells) for task in tasks]
    facts = dict.fromkeys(fact for column in columns for fact in column)
    rows = [[fact, *(column.get(fact, MISSING) for column in columns)] for fact in facts]
    header = [*cells.titles("fact"), *(cells.name(task.name) for task in tasks)]
    some = tasks[0].methods[0].training
    note = cells.say(
        "note_setup",
        decay=words.number(some.weight_decay, 2),
        warmup=cells.percent(some.warmup_ratio, 0),
        scheduler=cells.name(some.lr_scheduler_type),
        length=some.max_length,
    )
    return cells.table(header, rows, "l", note if _same_training(results) else "")


def _setup_of(results: Results, task: TaskSettings, cells: Cells) -> dict[str, str]:
    """What the table says of one task, by the title of the row."""
    main, items = task.methods[0], results.items[task.name]
    epochs, batch = main.training.num_train_epochs, main.training.per_device_train_batch_size
    validation, *tests = (_data(e, _size(items.get(e)), cells) for e in task.evaluations)
    seeds = select(results.runs, task=task.name, method=main.name)["seed"]
    return {
        cells.say("column_encoder"): _encoder(results, task, main, cells),
        cells.say("fact_training_data"): _data(task.train, _train_size(results, task.name), cells),
        cells.say("fact_validation_data"): validation,
        cells.say("fact_test_data"): "; ".join(tests) or MISSING,
        **{cells.title(m.name): _method(results, task, m, cells) for m in task.methods},
        cells.say("fact_length"): cells.say("setup_length", epochs=epochs, batch=batch),
        cells.say("column_seeds"): ", ".join(map(str, seeds)) or MISSING,
    }


def _encoder(results: Results, task: TaskSettings, method: MethodSettings, cells: Cells) -> str:
    name = cells.words.model(method.model_name_or_path)
    runs = select(results.runs, task=task.name, method=method.name)
    if runs.empty:
        return name
    drift = select(results.drift, task=task.name, method=method.name)
    layers = cells.count(number_of_layers(drift["layer"]) or None)
    parameters = cells.count(runs["total_parameters"].min())
    said = cells.say("setup_encoder", name=name, layers=layers, parameters=parameters)
    # A cased vocabulary that is lowered is another input than the encoder was pretrained with.
    removed = ",".join(runs.get("tokenizer_removes", pd.Series(dtype=str)).dropna()).split(",")
    warned = [cells.say(f"tokenizer_removes_{what}") for what in dict.fromkeys(removed) if what]
    return "; ".join([said, *warned])


def _data(split: str, size: tuple[int | None, int | None], cells: Cells) -> str:
    corpus, part = split.split(":")
    name = f"{cells.name(corpus)} ({cells.name(language_of(split))}), {cells.name(part)}"
    sentences, words = (cells.count(number) for number in size)
    key = "setup_sentences" if size[1] is None else "setup_data"
    return cells.say(key, name=name, sentences=sentences, words=words)


def _method(results: Results, task: TaskSettings, method: MethodSettings, cells: Cells) -> str:
    rate = cells.significant(method.training.learning_rate, 1)
    text = cells.say("setup_method", trained=_what_is_trained(method, cells), rate=rate)
    if method.model_name_or_path == task.methods[0].model_name_or_path:
        return text
    return f"{text}; {_encoder(results, task, method, cells)}"


def _what_is_trained(method: MethodSettings, cells: Cells) -> str:
    adapter = method.adapter
    if isinstance(adapter, LoraSettings):
        return cells.say(
            "trains_lora",
            r=adapter.r,
            alpha=adapter.lora_alpha,
            dropout=cells.words.number(adapter.lora_dropout, 1),
            roles=cells.names(adapter.roles),
        )
    if isinstance(adapter, PrefixSettings):
        return cells.say("trains_prefix", tokens=adapter.num_virtual_tokens)
    if method.trainable == "all":
        return cells.say("trains_all")
    return cells.words.name(HEAD, case="definite")


def _same_training(results: Results) -> bool:
    """Whether all methods share what the note under the table says once."""
    shared = {
        (t.weight_decay, t.warmup_ratio, t.lr_scheduler_type, t.max_length)
        for task in results.profile.tasks.values()
        for t in (method.training for method in task.methods)
    }
    return len(shared) == 1


def _size(items: pd.DataFrame | None) -> tuple[int | None, int | None]:
    """Sentences and words of an evaluated set; CoLA's items are sentences, POS's words."""
    if items is None:
        return None, None
    if "sentence" in items:
        return items["sentence"].nunique(), len(items)
    return len(items), int(items["length"].sum())


def _train_size(results: Results, task: str) -> tuple[int | None, int | None]:
    runs = select(results.runs, task=task).reindex(columns=["train_sentences", "train_words"])
    medians = [present(pd.to_numeric(runs[column]).median()) for column in runs]
    sentences, words = (None if median is None else int(median) for median in medians)
    return sentences, words


def tabulate_sources(results: Results, words: Wording) -> Table:
    """Where every corpus and model came from."""
    cells, rows = Cells(words), []
    for row in results.sources.drop_duplicates(["task", "item", "source"]).itertuples():
        item = cells.say("column_encoder") if row.item == "model" else escape(str(row.item))
        rows.append([cells.name(str(row.task)), item, escape(str(row.source))])
    return cells.table(cells.titles("task", "item", "source"), rows, "lll")


def tabulate_environment(results: Results, words: Wording) -> Table:
    """What the results were made with and the report is rendered with."""
    cells, frame = Cells(words), results.provenance
    facts = {
        "rendered_with": ".".join(str(part) for part in sys.version_info[:3]),
        "trained_with": _unique(frame, "python"),
        "platform": _unique(frame, "platform"),
        "device": _unique(results.runs, "device"),
        "commit": _commits(frame, cells),
        "time": _period(frame),
        "training_time": cells.duration(float(results.runs["training_seconds"].sum())),
        "runs": cells.say("result_runs", done=len(results.runs), missing=len(results.missing)),
        "changed_modules": _stale(results, cells),
        "versions": _versions(frame),
    }
    rows = [[cells.say(f"fact_{key}"), value or MISSING] for key, value in facts.items()]
    return cells.table(cells.titles("fact", "value"), rows, "ll")


def _unique(frame: pd.DataFrame, column: str) -> str:
    values = frame[column].dropna().drop_duplicates() if column in frame else []
    return "; ".join(escape(str(value)) for value in values)


def _commits(frame: pd.DataFrame, cells: Cells) -> str:
    texts = []
    pairs = frame[["commit", "dirty"]] if "commit" in frame else pd.DataFrame()
    for commit, dirty in pairs.drop_duplicates().to_numpy():
        known = isinstance(commit, str) and commit
        text = escape(commit[:12]) if known else cells.say("no_commit")
        texts.append(f"{text} {cells.say('dirty')}" if known and dirty is True else text)
    return "; ".join(dict.fromkeys(texts))


def _period(frame: pd.DataFrame) -> str:
    times = sorted(str(time) for time in frame["time"].dropna())
    ends = dict.fromkeys((times[0], times[-1])) if times else {}
    return " – ".join(escape(time) for time in ends)


def _stale(results: Results, cells: Cells) -> str:
    stale = results.stale().items()
    parts = [f"{escape(stage)}: {', '.join(map(escape, modules))}" for stage, modules in stale]
    return "; ".join(parts) or cells.say("none_changed")


def _versions(frame: pd.DataFrame) -> str:
    found: dict[str, set[str]] = {}
    for of_run in frame.get("packages", ()):
        for name, version in of_run.items():
            found.setdefault(name, set()).add(version)
    return ", ".join(f"{escape(n)} {escape('/'.join(sorted(v)))}" for n, v in found.items())


def tabulate_missing(results: Results, words: Wording) -> Table:
    """Runs that the settings ask for and the report lacks; a sentence where there are none."""
    cells = Cells(words)
    if not results.missing:
        return Table(cells.say("nothing_missing", count=len(results.runs)))
    rows = [[escape(gap.run), cells.name(gap.reason)] for gap in results.missing]
    note = cells.say("note_missing", missing=len(rows), wanted=len(rows) + len(results.runs))
    return cells.table(cells.titles("run", "reason"), rows, "ll", note)
