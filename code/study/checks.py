"""Refuses values of settings by name."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from study.errors import StudyError

LARGEST_SEED = 2**32  # numpy's legacy generator, which transformers seeds, takes no more


def require(condition: bool, name: str, value: Any, expected: str) -> None:
    """Refuses a value that does not hold what is expected of it."""
    if not condition:
        raise StudyError(f"{name} must be {expected}, got {value!r}")


def require_distinct(values: Sequence[Any], name: str) -> None:
    """Refuses a list that names something twice."""
    require(len(set(values)) == len(values), name, values, "distinct")


def require_seeds(seeds: Sequence[int]) -> None:
    """Refuses seeds that are named twice, or that a generator of random numbers does not take."""
    require_distinct(seeds, "seeds")
    require(all(0 <= seed < LARGEST_SEED for seed in seeds), "seeds", seeds, "from 0 to 2^32 - 1")


def require_at_least(settings: object, least: int, *names: str) -> None:
    """Refuses settings of which one of these is smaller."""
    for name in names:
        value = getattr(settings, name)
        require(value >= least, name, value, f"at least {least}")


def require_one_of(value: Any, known: tuple[str, ...], name: str) -> None:
    """Refuses a value outside the known ones, with the nearest of them."""
    if value not in known:
        raise StudyError(
            f"unknown {name} {value!r}{_nearest(value, known)}; known: {', '.join(known)}"
        )


def require_known(table: Iterable[str], known: set[str], where: str) -> None:
    """Refuses a table with a key outside the known ones."""
    for key in table:
        if key not in known:
            raise StudyError(
                f"unknown key {key!r}{_nearest(key, known)}; known: {', '.join(sorted(known))}",
                where=where if where.endswith(".toml") else f"experiments.toml: {where}",
            )


def _nearest(value: Any, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(value), list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
