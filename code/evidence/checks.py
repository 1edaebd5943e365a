"""What evidence is refused for: predictions that do not fit, and two values of one metric."""

from collections.abc import Iterable, Mapping, Sequence

from facts.fact import Fact
from study.errors import StudyError

SAME_SCORE = 1e-9  # beyond rounding, a metric has one value


def check_methods(
    shapes: Mapping[str, tuple[int, ...]],
    seeds: Mapping[str, Sequence[int]],
    items: int,
    control: str,
) -> None:
    """Refuse predictions (method -> seeds, items) that do not fit, and a control's name.

    Raises:
        ValueError: for the first method that does not fit.
    """
    if not shapes or control in shapes:
        raise ValueError(f"expected methods, none called {control!r}, got {list(shapes)}")
    for method, shape in shapes.items():
        wanted = (len(seeds[method]), items)
        if shape != wanted or not wanted[0] or len(set(seeds[method])) < wanted[0]:
            raise ValueError(
                f"expected predictions of {method!r} for {wanted} (distinct seeds, items), got "
                f"{shape} for the seeds {list(seeds[method])}"
            )


def check_scores(
    where: str,
    facts: Iterable[Fact],
    key: Mapping[str, str],
    stored: Sequence[Mapping[str, float | None]],
) -> None:
    """Refuse evidence whose metrics are not the scores that each seed has stored.

    Raises:
        StudyError: two ways to compute one number disagree.
    """
    ours: dict[str, list[float | None]] = {}
    wanted = {"quantity": "score", "tag": "", "group": "", "part": "", **key}
    for fact in facts:
        if fact.seed is not None and all(getattr(fact, n) == v for n, v in wanted.items()):
            ours.setdefault(fact.metric, []).append(fact.value)
    for position, scores in enumerate(stored):
        for metric, score in scores.items():
            values = ours.get(metric)
            value = values[position] if values else None
            if value is None or score is None:
                same = value is score
            else:
                same = abs(value - score) <= SAME_SCORE
            if not same:
                raise StudyError(
                    f"the {metric} of {where} is {value} by its counts, {score} as its score",
                    where="code/evidence/scoring.py and code/evidence/metrics.py",
                    remedy="this is a bug: please report it; nothing was stored",
                )
