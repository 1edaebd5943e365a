"""Numbers of a study that its answers speak of, by the roles that methods play.

Roles are read from the settings, never from names: the *reference* trains every weight, the
*adapter* trains an adapter, the *control* trains the head alone, the *foreign* encoder is trained
like the reference from another checkpoint. What was not run is ``None`` or an empty list.
"""

import functools
from collections.abc import Mapping

import pandas as pd
from evidence.schema import (
    Comparison,
    Estimate,
    Method,
    Outcome,
    TaggingMethod,
    Transfer,
)
from store.frames import select

from store.results import Results
from study.settings import language_of

MEASURES = ("l2", "relative", "rms")
LAYER_PREFIX = "encoder.layer."
COMPUTED_MEMORY = (
    "computed_bytes"  # a cost: weights, gradients, optimizer state, from their numbers
)


# ---------------------------------------------------------------------------------------- costs


def cost(results: Results, task: str, method: str | None, column: str) -> float | None:
    """Median over seeds of a column of ``Study.runs``."""
    values = _costs(results, task, method, column)
    return float(values.median()) if len(values) else None


def cost_ratios(
    results: Results, task: str, first: str | None, second: str | None, column: str
) -> list[float]:
    """Second over first, one value for each seed that both have, where both were measured."""
    one, other = (_costs(results, task, method, column) for method in (first, second))
    common = [seed for seed in one.index if seed in other.index and one[seed]]
    return [float(other[seed] / one[seed]) for seed in common]


def cost_spread(results: Results, task: str, method: str | None, column: str) -> float:
    """The longest run of a method over its shortest; 1 for a single run."""
    values = _costs(results, task, method, column)
    return float(values.max() / values.min()) if len(values) and values.min() else 1.0


def price(results: Results, task: str, method: str | None) -> tuple[float, float, float] | None:
    """What a step costs beside one of the reference on the same batches: ratio, low, high."""
    rows = select(results.prices, task=task, method=method).itertuples()
    return next(((float(row.ratio), float(row.low), float(row.high)) for row in rows), None)


def seeds_run(results: Results, task: str) -> list[int]:
    """The seeds of a task that have results."""
    return sorted(set(select(results.runs, task=task)["seed"]))


@functools.lru_cache(maxsize=256)
def _costs(results: Results, task: str, method: str | None, column: str) -> "pd.Series[float]":
    chosen = select(results.runs, task=task, method=method)
    if column == COMPUTED_MEMORY:
        parts = chosen.filter(regex=r"^memory_\w+_bytes$").apply(pd.to_numeric, errors="coerce")
        chosen = chosen.assign(**{column: parts.sum(axis=1, skipna=False)})
    if column not in chosen:
        return pd.Series(dtype=float)
    return pd.to_numeric(chosen.set_index("seed")[column], errors="coerce").dropna()


# -------------------------------------------------------------------------------------- quality


def learned(results: Results, task: str, method: str | None) -> bool:
    """Whether a method learned its task, as far as is known; a control is not asked to."""
    roles, found = results.roles(task), results.evidence.get(task)
    if found is None or method not in (roles.reference, roles.adapter):
        return True
    methods: Mapping[str, Method] = found["methods"]
    entry = methods.get(method or "")
    return entry is None or entry["learned"] is not False


def comparison(
    results: Results, task: str, evaluation: str, metric: str, first: str | None, second: str | None
) -> Comparison | None:
    """The stored comparison of two methods, turned round where it is stored the other way."""
    for row in results.comparisons(task):
        if (row["evaluation"], row["metric"]) == (evaluation, metric):
            if (row["first"], row["second"]) == (first, second):
                return row
            if (row["first"], row["second"]) == (second, first):
                return _turned(row)
    return None


def _turned(row: Comparison) -> Comparison:
    turned: Comparison = {**row, "first": row["second"], "second": row["first"]}
    turned["effect"] = _minus(row["effect"])
    turned["low"], turned["high"] = _minus(row["high"]), _minus(row["low"])
    turned["low_items"], turned["high_items"] = _minus(row["high_items"]), _minus(row["low_items"])
    opposite: dict[Outcome | None, Outcome] = {"better": "worse", "worse": "better"}
    turned["outcome"] = opposite.get(row["outcome"]) or row["outcome"]
    return turned


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def tagging_method(results: Results, task: str, method: str | None) -> TaggingMethod | None:
    """A method's part of the evidence on words."""
    methods = results.tagging(task)["methods"] if task in results.evidence else {}
    return methods.get(method or "")


def estimate(
    results: Results, task: str, method: str | None, metric: str, evaluation: str
) -> Estimate | None:
    """The estimate of a metric on an evaluated set."""
    return results.estimates(task, evaluation, metric).get(method or "")


def constant_control(results: Results, task: str) -> str | None:
    """The control that is computed, not trained (majority class, most frequent tag)."""
    found = results.evidence.get(task)
    methods = found["methods"].items() if found else ()
    return next((name for name, entry in methods if entry["control"]), None)


def share_of_gain(
    control: float | None, reference: float | None, adapter: float | None
) -> float | None:
    """What part of the reference's gain over the control the adapter reaches; None without gain."""
    if control is None or reference is None or adapter is None or reference <= control:
        return None
    return (adapter - control) / (reference - control)


# ------------------------------------------------------------------------------------- transfer


def find_target(results: Results, task: str) -> str | None:
    """The first evaluated set in another language than the validation set."""
    return next(iter(find_targets(results, task)), None)


def find_targets(results: Results, task: str) -> list[str]:
    """The evaluated sets in other languages than the validation set."""
    source, *others = results.evaluations(task)
    return [e for e in others if language_of(e) != language_of(source)]


def transfer_entry(results: Results, task: str, method: str | None) -> Transfer | None:
    """The evidence of a method's transfer to the target."""
    entry = tagging_method(results, task, method)
    return entry["transfer"].get(find_target(results, task) or "") if entry else None


# ---------------------------------------------------------------------------------------- drift


def component_values(
    results: Results, task: str, method: str | None, measure: str
) -> dict[str, float]:
    """Change of every layer (embeddings, encoder layers, pooler, head), mean over seeds."""
    rows = select(results.drift, task=task, method=method, kind="all")
    means = pd.to_numeric(rows[measure]).groupby(rows["layer"], sort=False).mean().dropna()
    return {str(layer): float(value) for layer, value in means.items()}


def layer_profile(results: Results, task: str, method: str | None, measure: str) -> list[float]:
    """Change of the encoder layers from input to output, mean over seeds."""
    return encoder_profile(component_values(results, task, method, measure))


def seed_profiles(
    results: Results, task: str, method: str | None, measure: str
) -> list[list[float]]:
    """``layer_profile`` of each seed apart."""
    rows = select(results.drift, task=task, method=method, kind="all")
    of_seeds = (of.set_index("layer")[measure].astype(float) for _, of in rows.groupby("seed"))
    return [encoder_profile(of.to_dict()) for of in of_seeds]


def encoder_profile(values: dict[str, float]) -> list[float]:
    """The encoder layers of a mapping from layer to value, in order of depth."""
    found = {int(k.removeprefix(LAYER_PREFIX)): v for k, v in values.items() if LAYER_PREFIX in k}
    return [found[depth] for depth in sorted(found)]


def adapted_moves(
    results: Results, task: str, method: str | None, adapter: str | None
) -> list[float]:
    """Mean Euclidean distance of the matrices that the adapter moves, one value a seed."""
    moved = select(results.drift, task=task, method=adapter)
    moved = moved[(pd.to_numeric(moved["l2"]) > 0) & moved["layer"].str.startswith(LAYER_PREFIX)]
    rows = select(results.drift, task=task, method=method, kind=set(moved["kind"]) - {"all"})
    means = pd.to_numeric(rows["l2"]).groupby(rows["seed"]).mean()
    return [float(value) for value in means]


def mean_structure(results: Results, task: str, method: str | None, column: str) -> float | None:
    """Mean of a column of ``Study.structure`` over the matrices that changed, and seeds."""
    rows = select(results.structure, task=task, method=method)
    changed = rows[pd.to_numeric(rows["rank"]) > 0]
    values = pd.to_numeric(changed[column]).dropna()
    return float(values.mean()) if len(values) else None


def restored(
    results: Results, task: str, method: str | None, evaluation: str
) -> dict[str, tuple[float, float | None, float | None]]:
    """Part -> what the metric loses when it is set back to its values before training, interval."""
    rows = select(results.restoration, task=task, method=method, evaluation=evaluation)
    found = {}
    for row in rows.to_dict("records"):
        few = pd.isna(row["low"])
        ends = (row["low_items"], row["high_items"]) if few else (row["low"], row["high"])
        found[str(row["part"])] = (float(row["drop"]), *ends)
    return found


def last_layer_similarity(
    results: Results, task: str, method: str | None, evaluation: str
) -> list[float]:
    """CKA between base and tuned states of the last layer, one value a seed."""
    rows = select(results.representation, task=task, method=method, evaluation=evaluation)
    last = select(rows, layer=rows["layer"].max())
    return [float(value) for value in last["cka"]]


# --------------------------------------------------------------------------------------- curves


def onsets(results: Results, task: str, method: str, metric: str) -> list[float | None]:
    """Epoch from which on the validation metric stays above what is had without learning, by seed.

    That is the control that is computed, not trained, or the value before the first step where this
    is higher by chance. None for a seed that never stays above it.
    """
    curves = select(results.curves, task=task, method=method, split="validation", metric=metric)
    control, where = constant_control(results, task), results.evaluations(task)[0]
    computed = estimate(results, task, control, metric, where)
    found = []
    for _, run in curves.sort_values("step").groupby("seed"):
        values = run["value"].to_numpy()
        floor = max(values[0], computed["value"] if computed else 0.0)
        first = len(values) - next(
            (n for n, value in enumerate(values[::-1]) if value <= floor), len(values)
        )
        found.append(float(run["epoch"].iloc[first]) if first < len(values) else None)
    return found
