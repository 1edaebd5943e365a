"""The time left, on timelines of studies, made up or noted: no clock of this machine is read."""

import statistics
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.estimate import Estimate, Planned


@dataclass(frozen=True)
class Recorded:
    """A run as it was: when it began, when its training and when all of it had ended."""

    planned: Planned
    begin: float
    trained: float
    end: float


def timeline(text: str, work: dict[str, float]) -> list[Recorded]:
    """Lines of run, begin, end of the training, end; seconds."""
    found = []
    for line in text.strip().splitlines():
        name, *times = line.split()
        task, method, _ = name.split("-")
        planned = Planned(name, task, method, work[f"{task}-{method}"])
        found.append(Recorded(planned, *map(float, times)))
    return found


# Token passes of the trainings in thousands.
DEMO = {"cola-full": 410.0, "cola-lora": 274.0, "cola-frozen": 46.0}
DEMO |= {"pos-full": 32.0, "pos-lora": 21.0, "pos-frozen": 11.0, "pos-monolingual": 32.0}
TINY = {"cola-full": 6.0, "cola-lora": 4.0, "cola-frozen": 1.0}
TINY |= {"pos-full": 6.0, "pos-lora": 4.0, "pos-frozen": 1.0}
STUDIES = {
    # Two workers on two quiet cores, before the encoders were cut and bfloat16 was used.
    "demo, quiet": timeline(
        """
        cola-full-seed42 8 79 101
        cola-lora-seed42 8 67 93
        cola-frozen-seed42 93 97 101
        pos-full-seed42 101 158 184
        pos-lora-seed42 101 132 158
        pos-frozen-seed42 158 166 168
        pos-monolingual-seed42 168 185 203
        cola-full-seed43 184 250 271
        cola-lora-seed43 203 261 284
        cola-frozen-seed43 271 275 279
        pos-full-seed43 279 333 358
        pos-lora-seed43 284 318 345
        pos-frozen-seed43 345 353 355
        """,
        DEMO,
    ),
    # One worker a core, twenty other processes beside them.
    "tiny, busy": timeline(
        """
        cola-full-seed1 0 1.6 7.6
        cola-lora-seed1 0.5 8.8 15
        cola-frozen-seed1 8 15.9 17.4
        pos-full-seed1 15 25.3 30.7
        pos-lora-seed1 17.4 28.8 34
        pos-frozen-seed1 30.7 36.3 37.7
        cola-full-seed2 34 41 44
        cola-lora-seed2 37.7 47.1 50.2
        cola-frozen-seed2 44 51.6 52.9
        pos-full-seed2 50.2 58.4 61.7
        pos-lora-seed2 52.9 60.3 64.4
        pos-frozen-seed2 61.7 66.2 67.6
        """,
        TINY,
    ),
}


def replay(runs: list[Recorded], until: float) -> Estimate:
    """What is known at that moment of a study; trainings go on evenly."""
    estimate = Estimate([run.planned for run in runs], workers=2)
    for run in sorted(runs, key=lambda run: run.begin):
        if run.begin > until:
            break
        done = min(1.0, (until - run.begin) / (run.trained - run.begin))
        estimate.advance(run.planned.name, 0.0, run.begin)
        if run.end <= until:
            estimate.end(run.planned.name, run.end)
        else:
            estimate.advance(run.planned.name, done, until)
    return estimate


@pytest.mark.parametrize("study", STUDIES)
def test_half_of_the_estimates_are_within_a_third(study: str) -> None:
    runs = STUDIES[study]
    last = max(run.end for run in runs)
    moments = [30.0 + step for step in range(int(last - 30))]
    left = [replay(runs, now).left(now) for now in moments]
    told = [(now, seconds) for now, seconds in zip(moments, left, strict=True) if seconds]
    assert len(told) > 0.9 * len(moments)
    errors = [abs(seconds - (last - now)) / (last - now) for now, seconds in told]
    assert statistics.median(errors) <= 1 / 3


def test_nothing_is_told_before_there_is_something_to_tell_it_from() -> None:
    estimate = Estimate([Planned("a-full-1", "a", "full", 100.0)], workers=1)
    assert estimate.left(0.0) is None
    estimate.advance("a-full-1", 0.0, 10.0)
    estimate.advance("a-full-1", 0.01, 60.0)  # loading took a minute: no pace yet
    assert estimate.left(60.0) is None
    estimate.advance("a-full-1", 0.5, 95.0)
    assert estimate.left(95.0) == pytest.approx(85.0 / (0.5 * 0.85) - 85.0)
    estimate.end("a-full-1", 150.0)
    assert estimate.left(150.0) == 0.0


def test_a_run_takes_what_runs_of_its_kind_took_else_by_its_work() -> None:
    runs = [Planned(f"a-{method}-{seed}", "a", method, work)
            for seed in (1, 2) for method, work in (("full", 30.0), ("lora", 20.0))]  # fmt: skip
    estimate = Estimate(runs, workers=1)
    estimate.advance("a-full-1", 0.0, 0.0)
    estimate.end("a-full-1", 60.0)
    assert estimate.left(60.0) == pytest.approx(40.0 + 60.0 + 40.0)
    estimate.advance("a-lora-1", 0.0, 60.0)
    estimate.end("a-lora-1", 150.0)
    assert estimate.left(150.0) == pytest.approx(60.0 + 90.0)


def test_a_failed_run_says_nothing_of_others() -> None:
    runs = [Planned("a-full-1", "a", "full", 30.0), Planned("a-full-2", "a", "full", 30.0)]
    estimate = Estimate(runs, workers=1)
    estimate.advance("a-full-1", 0.0, 0.0)
    estimate.end("a-full-1", 1.0, failed=True)
    assert estimate.left(1.0) is None
    estimate.end("never planned", 1.0)


@given(
    st.lists(st.tuples(st.floats(0.1, 1e4), st.floats(0.1, 1e6)), min_size=1, max_size=8),
    st.integers(1, 4),
    st.floats(0.2, 1.0),
)
def test_what_is_left_is_between_an_even_share_and_all_of_it(
    runs: list[tuple[float, float]], workers: int, share: float
) -> None:
    planned = [Planned(f"r{i}", "a", f"m{i}", work) for i, (_, work) in enumerate(runs)]
    estimate = Estimate(planned, workers)
    estimate.advance("r0", 0.0, 0.0)
    estimate.advance("r0", share, runs[0][0])
    left = estimate.left(runs[0][0])
    assert left is not None and left >= 0.0
    serial = Estimate(planned, 1)
    serial.advance("r0", 0.0, 0.0)
    serial.advance("r0", share, runs[0][0])
    whole = serial.left(runs[0][0])
    assert whole is not None and whole / workers * (1 - 1e-9) <= left <= whole * (1 + 1e-9)
