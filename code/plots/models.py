"""Models (a task and a method) and their layers, as the figures of weights need them."""

from collections.abc import Iterable, Sequence

import pandas as pd
from matplotlib.axes import Axes

from plots.style import SMALL
from store.frames import select
from store.results import Results
from study.architecture import components, layer_number, sort_layers
from words.wording import Wording

Model = tuple[str, str]  # task, method


def models_of(results: Results, frame: str) -> list[Model]:
    """Models with rows in a frame, in the settings' order."""
    rows = getattr(results, frame)
    present = set(zip(rows.task, rows.method, strict=True))
    return [(t, m) for t in results.profile.tasks for m in results.methods(t) if (t, m) in present]


def moving_models(results: Results) -> list[Model]:
    """Those of the models with drift whose encoder's own weights can change."""
    models = models_of(results, "drift")
    return [(task, m) for task, m in models if m in results.moving_methods(task)]


def by_task(models: Sequence[Model]) -> list[list[Model]]:
    """The models in groups of one task."""
    tasks = dict.fromkeys(task for task, _ in models)
    return [[model for model in models if model[0] == task] for task in tasks]


def select_layers(results: Results, model: Model, metric: str) -> pd.DataFrame:
    """A distance of a model: one row a layer, from input to output, one column a seed."""
    rows = select(results.drift, task=model[0], method=model[1], kind="all")
    values = rows.pivot(index="layer", columns="seed", values=metric).astype(float)
    return values.reindex([layer for layer in sort_layers(rows.layer) if layer in values.index])


def name_layer(words: Wording, layer: str) -> str:
    """Short name of a layer under an axis: its number, or a word."""
    number = layer_number(layer)
    if number is not None:
        return str(number)
    key = f"layer_{layer}"
    return words.say("plots", key) if words.has("plots", key) else words.name(layer)


def name_layers(ax: Axes, words: Wording, order: Sequence[str], layers: int) -> None:
    """Layers along x; the assignment's five components in bold, of an encoder of so many layers."""
    named = set(components(layers).values())
    ax.set_xticks(range(len(order)), [name_layer(words, layer) for layer in order], fontsize=SMALL)
    for text, layer in zip(ax.get_xticklabels(), order, strict=True):
        text.set_fontweight("bold" if layer in named else "normal")
        text.set_rotation(90 if layer_number(layer) is None else 0)
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, len(order) - 0.4)


def model_label(words: Wording, model: Model) -> str:
    """``CoLA: LoRA``."""
    task, method = (words.name(name) for name in model)
    return words.say("plots", "model", task=task, method=method)


def list_models(words: Wording, models: Iterable[Model]) -> str:
    """The models' labels in a row."""
    return "; ".join(model_label(words, model) for model in models)


def left_out(results: Results, words: Wording, shown: Sequence[Model]) -> str:
    """Says which finished models a figure of the encoder cannot show, and why."""
    finished = [
        ((task, m.name), m) for task in results.profile.tasks for m in results.settings(task)
    ]
    fixed = [model for model, m in finished if m.mergeable and not m.moves_encoder]
    hidden = {
        "only_head_note": [model for model in fixed if model not in shown],
        "not_mergeable_note": [model for model, m in finished if not m.mergeable],
    }
    notes = {key: list_models(words, models) for key, models in hidden.items() if models}
    return " ".join(words.say("plots", key, models=models) for key, models in notes.items())
