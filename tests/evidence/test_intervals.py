from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evidence import intervals, scoring

TAG_SHARES = np.array([0.4, 0.3, 0.17, 0.1, 0.03])
DATA_SETS = 1000
RESAMPLES = 399  # 20 of 400 orderings are exactly 5 %


def binary_counts(predicted, gold):
    """Counts (S, N, 4) of predictions (S, N) and labels (N,), both boolean."""
    cells = [predicted & gold, predicted & ~gold, ~predicted & gold, ~predicted & ~gold]
    return np.stack(cells, axis=-1).astype(np.float32)


def small_counts(rng, seeds=2, items=60, flip=0.25):
    gold = rng.random(items) < 0.7
    return binary_counts(gold ^ (rng.random((seeds, items)) < flip), gold)


def both_intervals(counts, metric, rng, resamples=2000, bounds=intervals.UNIT):
    """Over items and seeds, and over items alone."""
    weights = intervals.resample_weights(counts.shape[1], resamples, rng)
    totals = intervals.weighted_totals(weights, counts)
    quantity = intervals.replicate(counts, metric, totals, bounds=bounds)
    return intervals.seed_interval(quantity), intervals.item_interval(quantity)


class Difference(NamedTuple):
    effect: float
    low: float
    high: float
    p: float


def both_differences(first, second, metric, rng, resamples=2000):
    """First minus second, over items and seeds, and over items alone."""
    units = first.shape[1]
    weights = intervals.resample_weights(units, resamples, rng)
    one, other = (
        intervals.replicate(
            counts,
            metric,
            intervals.weighted_totals(weights, counts),
            bounds=scoring.bounds_of(metric),
        )
        for counts in (first, second)
    )
    masks = intervals.exchange_masks(units, resamples, rng)
    null = intervals.null_effects(metric, intervals.exchanged_totals(first, second, masks))
    difference = one.minus(other)
    p_items = intervals.item_p(difference, null)
    return (
        Difference(*intervals.seed_interval(difference), intervals.seed_p(difference, p_items)),
        Difference(*intervals.item_interval(difference), p_items),
    )


# ---------------------------------------------------------------------------------- simulations


@dataclass(frozen=True)
class Judgements:
    """CoLA-like data: 1,043 items, 70 % positive, items of unequal difficulty for all models.

    A model of quality a accepts an item when a y + bias + difficulty + noise > 0; difficulty and
    noise have a joint variance of 1, so that the population's MCC is known exactly.
    """

    items: int = 1043
    bias: float = 0.35
    shared: float = 0.6

    def population_mcc(self, quality):
        accepted, accepted_wrongly = stats.norm.cdf([self.bias + quality, self.bias - quality])
        table = [0.7 * accepted, 0.3 * accepted_wrongly, 0.7 * (1 - accepted)]
        return float(scoring.matthews_correlation(np.array([*table, 0.3 * (1 - accepted_wrongly)])))

    def draw(self, qualities, rng):
        """Counts (M, S, N, 4) for qualities (M, S)."""
        gold = rng.random(self.items) < 0.7
        noise = rng.normal(size=(*qualities.shape, self.items))
        difficulty = rng.normal(size=self.items)
        latent = np.where(gold, 1, -1) * qualities[..., None] + self.bias
        latent = latent + np.sqrt(self.shared) * difficulty + np.sqrt(1 - self.shared) * noise
        return np.stack([binary_counts(of_method, gold) for of_method in latent > 0])


@dataclass(frozen=True)
class Tagging:
    """Treebank-like data: sentences of unequal length and difficulty, five tags, one of them rare.

    A word is tagged correctly when quality + ease of its tag + difficulty of the sentence + noise
    is positive; the last two have a joint variance of 1. A wrong tag is any other, evenly.
    """

    sentences: int = 300
    cluster: float = 0.3
    words_are_units: bool = False
    ease: tuple[float, ...] = (0.2, 0.1, 0.0, -0.3, -0.6)

    def population(self, qualities, metric):
        return float(np.mean([metric(self._expected(q)) for q in np.ravel(qualities)]))

    def _expected(self, quality):
        right = TAG_SHARES * stats.norm.cdf(quality + np.array(self.ease))
        spilt = (TAG_SHARES - right) / (len(TAG_SHARES) - 1)
        return np.concatenate([right, right + spilt.sum() - spilt, TAG_SHARES])

    def draw(self, qualities, rng):
        """Counts (M, S, U, 15) for qualities (M, S); U counts words if they are the units."""
        sentence = np.repeat(np.arange(self.sentences), 1 + rng.poisson(11, self.sentences))
        gold = rng.choice(len(TAG_SHARES), len(sentence), p=TAG_SHARES)
        shape = (*qualities.shape, len(sentence))
        shared, own = np.sqrt(self.cluster), np.sqrt(1 - self.cluster)
        latent = qualities[..., None] + np.array(self.ease)[gold] + own * rng.normal(size=shape)
        latent = latent + shared * rng.normal(size=self.sentences)[sentence]
        wrong = (gold + rng.integers(1, len(TAG_SHARES), shape)) % len(TAG_SHARES)
        units = np.arange(len(sentence)) if self.words_are_units else sentence
        tags = len(TAG_SHARES)
        predicted = np.where(latent > 0, gold, wrong)
        return np.stack([scoring.tag_counts(p, gold, units, tags) for p in predicted])


def rates(draw: Callable, truths: dict[Callable, float], rng, data_sets=DATA_SETS):
    """How often the first method's interval holds the truth, and two equal methods differ.

    Returns, for each metric in ``truths``, the shares of data sets: ``cover`` and ``false`` for the
    answers over items and seeds, ``cover_items`` and ``false_items`` for those over items.
    """
    hits = {
        metric: dict.fromkeys(("cover_items", "cover", "false_items", "false"), 0.0)
        for metric in truths
    }
    for _ in range(data_sets):
        first, second = draw()
        weights = intervals.resample_weights(first.shape[1], RESAMPLES, rng)
        totals = [intervals.weighted_totals(weights, counts) for counts in (first, second)]
        masks = intervals.exchange_masks(first.shape[1], RESAMPLES, rng)
        exchanged = intervals.exchanged_totals(first, second, masks)
        for metric, truth in truths.items():
            one, other = (
                intervals.replicate(counts, metric, total, bounds=scoring.bounds_of(metric))
                for counts, total in zip((first, second), totals, strict=True)
            )
            difference = one.minus(other)
            null = intervals.null_effects(metric, exchanged)
            p_items = intervals.item_p(difference, null)
            for kind, interval, p in (
                ("", intervals.seed_interval(one), intervals.seed_p(difference, p_items)),
                ("_items", intervals.item_interval(one), p_items),
            ):
                hits[metric]["cover" + kind] += (interval.low <= truth <= interval.high) / data_sets
                hits[metric]["false" + kind] += (p <= 0.05) / data_sets
    return hits


@pytest.mark.slow
def test_given_models_on_cola_are_covered_and_equal_ones_not_told_apart():
    rng = np.random.default_rng(20)
    world, qualities = Judgements(), np.array([[0.7, 0.8, 0.75]] * 2)
    truth = np.mean([world.population_mcc(quality) for quality in qualities[0]])
    found = rates(lambda: world.draw(qualities, rng), {scoring.matthews_correlation: truth}, rng)[
        scoring.matthews_correlation
    ]
    assert 0.93 <= found["cover_items"] <= 0.97
    assert 0.035 <= found["false_items"] <= 0.065


@pytest.mark.slow
def test_methods_with_a_seed_spread_need_the_interval_over_seeds():
    rng = np.random.default_rng(21)
    world, spread = Judgements(), stats.norm(0.75, 0.04)  # a standard deviation of 2.4 MCC points
    truths = {scoring.matthews_correlation: spread.expect(world.population_mcc)}
    draw = lambda: world.draw(spread.rvs((2, 5), random_state=rng), rng)  # noqa: E731
    found = rates(draw, truths, rng)[scoring.matthews_correlation]
    assert 0.93 <= found["cover"] <= 0.97
    assert 0.035 <= found["false"] <= 0.065
    assert found["false_items"] > 0.15, "the spread is too small to tell the two tests apart"


@pytest.mark.slow
def test_given_taggers_are_covered_and_equal_ones_not_told_apart():
    rng = np.random.default_rng(22)
    world, qualities = Tagging(), np.full((2, 3), 1.5)
    metrics = (scoring.tag_accuracy, scoring.tag_macro_f1)
    truths = {metric: world.population(qualities[0], metric) for metric in metrics}
    for found in rates(lambda: world.draw(qualities, rng), truths, rng).values():
        assert 0.93 <= found["cover_items"] <= 0.97
        assert 0.035 <= found["false_items"] <= 0.065


def test_words_as_units_would_give_intervals_that_are_too_short():
    rng = np.random.default_rng(23)
    world, qualities = Tagging(sentences=60, words_are_units=True), np.full((2, 3), 1.5)
    truths = {scoring.tag_accuracy: world.population(qualities[0], scoring.tag_accuracy)}
    found = rates(lambda: world.draw(qualities, rng), truths, rng, data_sets=100)
    assert found[scoring.tag_accuracy]["cover_items"] < 0.9


# ------------------------------------------------------------------------- against definitions


def test_resample_weights_draw_as_many_units_as_there_are():
    weights = intervals.resample_weights(37, 200, np.random.default_rng(0))
    assert weights.shape == (200, 37)
    assert (weights.sum(axis=1) == 37).all()
    assert 0.25 < (weights == 0).mean() < 0.45  # e^-1 of the units are left out


def test_weighted_totals_equal_a_loop_over_drawn_rows():
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 50, (3, 20, 4)).astype(np.float32)
    weights = intervals.resample_weights(20, 5, rng)
    for row, totals in zip(weights, intervals.weighted_totals(weights, counts), strict=True):
        drawn = np.repeat(np.arange(20), row.astype(int))
        assert np.array_equal(totals, counts[:, drawn].sum(axis=1))


def test_bca_interval_agrees_with_scipy():
    rng = np.random.default_rng(2)
    counts = small_counts(rng, seeds=1, items=150)
    ours = both_intervals(counts, scoring.matthews_correlation, rng, 20_000)[1]

    def statistic(index, axis):
        return scoring.matthews_correlation(counts[0][index].sum(axis=axis - 1))

    theirs = stats.bootstrap(
        (np.arange(150),), statistic, method="BCa", n_resamples=20_000, rng=rng, vectorized=True
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.006)
    assert ours.high == pytest.approx(theirs.high, abs=0.006)
    assert ours.low < ours.value - 0.05, "an interval this short would agree with anything"


def test_acceleration_agrees_with_scipys_jackknife_on_a_skewed_mean():
    rng = np.random.default_rng(3)
    values = rng.exponential(size=40)
    counts = np.stack([values, np.ones(40)], axis=-1)[None]
    mean = lambda totals: totals[..., 0] / totals[..., 1]  # noqa: E731
    ours = both_intervals(counts, mean, rng, 40_000)[1]
    theirs = stats.bootstrap((values,), np.mean, n_resamples=40_000, rng=rng).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert ours.high - ours.value > 1.15 * (ours.value - ours.low), "skew must show"


def test_permutation_p_agrees_with_scipy():
    rng = np.random.default_rng(4)
    first, second = small_counts(rng, 1, 80), None
    second = first.copy()
    second[:, :14] = np.roll(first[:, :14], 1, axis=-1)
    p = both_differences(first, second, scoring.accuracy, rng, 20_000)[1].p

    def statistic(a, b, axis):
        return a.mean(axis=axis) - b.mean(axis=axis)

    right = [(c[0][:, 0] + c[0][:, 3]) for c in (first, second)]
    theirs = stats.permutation_test(
        right, statistic, permutation_type="samples", n_resamples=20_000, rng=rng, vectorized=True
    )
    assert p == pytest.approx(theirs.pvalue, abs=0.01)
    assert 0.0001 < p < 0.9


def test_exchange_moves_all_seeds_of_a_unit_together():
    rng = np.random.default_rng(5)
    first, second = small_counts(rng, 3, 9), small_counts(rng, 3, 9)
    masks = intervals.exchange_masks(9, 7, rng)
    ours = intervals.exchanged_totals(first, second, masks)
    for row, (a, b) in enumerate(zip(*ours, strict=True)):
        swap = masks[row][None, :, None] == 1
        assert np.array_equal(a, np.where(swap, second, first).sum(axis=1))
        assert np.array_equal(b, np.where(swap, first, second).sum(axis=1))


# --------------------------------------------------------------------------------- behaviour


def test_variance_parts_recover_a_planted_seed_variance():
    rng = np.random.default_rng(6)
    qualities = rng.normal(0.75, 0.1, (1, 60))
    counts = Judgements().draw(qualities, rng)[0]
    weights = intervals.resample_weights(counts.shape[1], 800, rng)
    totals = intervals.weighted_totals(weights, counts)
    parts = intervals.variance_parts(
        intervals.replicate(counts, scoring.matthews_correlation, totals)
    )
    planted = np.var([Judgements().population_mcc(q) for q in qualities[0]], ddof=1)
    assert (parts.total - parts.items) * 60 == pytest.approx(planted, rel=0.3)
    assert parts.degrees_of_freedom >= 59


def test_seeds_widen_the_interval_and_never_lower_p():
    rng = np.random.default_rng(7)
    counts = Judgements().draw(np.array([[0.5, 0.8, 1.1], [0.4, 0.8, 0.9]]), rng)
    outer, inner = both_intervals(counts[0], scoring.matthews_correlation, rng)
    assert outer.low < inner.low < inner.value == outer.value < inner.high < outer.high
    outer_c, inner_c = both_differences(counts[0], counts[1], scoring.matthews_correlation, rng)
    assert outer_c.p > inner_c.p
    assert outer_c.effect == inner_c.effect
    assert outer_c.low < inner_c.low < inner_c.high < outer_c.high


def test_one_seed_gives_items_alone():
    counts = small_counts(np.random.default_rng(8), seeds=1)
    outer, inner = both_intervals(counts, scoring.matthews_correlation, np.random.default_rng(0))
    assert (outer.low, outer.high) == pytest.approx((inner.low, inner.high))
    assert outer.low < outer.high


def test_a_perfect_score_has_an_interval_of_no_width():
    gold = np.arange(50) % 3 > 0
    counts = binary_counts(np.stack([gold, gold]), gold)
    outer, inner = both_intervals(counts, scoring.accuracy, np.random.default_rng(0))
    assert (outer, inner) == (intervals.Interval(1.0, 1.0, 1.0),) * 2


def test_a_method_compared_with_itself_differs_by_nothing():
    counts = small_counts(np.random.default_rng(9))
    found = both_differences(counts, counts, scoring.matthews_correlation, np.random.default_rng(0))
    assert found == (Difference(0.0, 0.0, 0.0, 1.0),) * 2


def test_swapping_the_methods_turns_the_effect_round():
    rng = np.random.default_rng(10)
    first, second = small_counts(rng, flip=0.1), small_counts(rng, flip=0.3)
    there = both_differences(first, second, scoring.matthews_correlation, np.random.default_rng(0))[
        0
    ]
    back = both_differences(second, first, scoring.matthews_correlation, np.random.default_rng(0))[
        0
    ]
    assert there.effect == -back.effect > 0
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=2e-3)
    assert there.p == back.p


def test_the_same_generator_gives_the_same_interval():
    counts = small_counts(np.random.default_rng(12))
    draw = lambda seed: both_intervals(  # noqa: E731
        counts, scoring.matthews_correlation, np.random.default_rng(seed), 300
    )
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_drop_between_sets_adds_both_variances():
    rng = np.random.default_rng(13)
    sets = [small_counts(rng, 3, 400, flip) for flip in (0.1, 0.3)]
    parts = [
        intervals.replicate(
            c,
            scoring.accuracy,
            intervals.weighted_totals(intervals.resample_weights(400, 3000, rng), c),
        )
        for c in sets
    ]
    drop = parts[0].drop_to(parts[1])
    variances = [intervals.variance_parts(part).items for part in (*parts, drop)]
    assert drop.value == pytest.approx(parts[0].value - parts[1].value)
    assert variances[2] == pytest.approx(variances[0] + variances[1], rel=0.1)
    assert len(drop.influence) == 800


# ------------------------------------------------------------------------- correction, spread


@pytest.mark.parametrize(
    ("metric", "bounds"),
    [(scoring.accuracy, (0, 1)), (scoring.matthews_correlation, (-1, 1)), (scoring.f1, (0, 1))],
)
@pytest.mark.parametrize("seeds", [2, 3])
def test_intervals_over_seeds_stay_within_the_bounds(metric, bounds, seeds):
    """Seeds near a bound that differ a lot: a linear stretch would leave the range."""
    rng = np.random.default_rng(14)
    left = False
    for flips in ((0.0, 0.02, 0.3), (0.5, 0.05, 0.0), (1.0, 0.7, 0.98)):
        gold = rng.random(80) < 0.7
        wrong = np.stack([rng.random(80) < flip for flip in flips[:seeds]])
        counts = binary_counts(gold ^ wrong, gold)
        outer, inner = both_intervals(counts, metric, rng, 400, bounds)
        parts = intervals.variance_parts(
            intervals.replicate(
                counts,
                metric,
                intervals.weighted_totals(intervals.resample_weights(80, 400, rng), counts),
            )
        )
        half = stats.t.ppf(0.975, parts.degrees_of_freedom) * np.sqrt(parts.total)
        left |= outer.value + half > bounds[1] or outer.value - half < bounds[0]
        assert bounds[0] <= outer.low < inner.low
        assert inner.high < outer.high <= bounds[1]
        other = small_counts(rng, seeds, 80, 0.4)
        difference = both_differences(counts, other, metric, rng, 400)[0]
        width = bounds[1] - bounds[0]
        assert -width <= difference.low < difference.effect < difference.high <= width
    assert left, "no interval is wide enough to test anything"


def test_far_from_the_bounds_the_scale_does_not_matter():
    inner = intervals.Interval(0.5, 0.49, 0.512)
    for bounds in ((0.0, 1.0), (-1.0, 1.0), (0.0, np.inf), (-np.inf, np.inf)):
        wide = intervals._stretch(inner, 1.5, bounds)
        assert (wide.low, wide.high) == pytest.approx((0.485, 0.518), abs=2e-4)


def test_fishers_z_is_the_scale_of_correlations():
    wide = intervals._stretch(intervals.Interval(0.6, 0.4, 0.7), 2.0, (-1.0, 1.0))
    z = np.arctanh([0.6, 0.4, 0.7])
    expected = np.tanh([z[0] - 2 * (z[0] - z[1]), z[0] + 2 * (z[2] - z[0])])
    assert (wide.low, wide.high) == pytest.approx(tuple(expected))


def test_holm_on_a_worked_example():
    assert intervals.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert intervals.holm([]) == []


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_nothing_and_bonferroni_and_keeps_the_order(p_values):
    corrected = np.array(intervals.holm(p_values))
    p = np.array(p_values)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(1, p * len(p)) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


def test_the_variance_over_items_is_never_negative_by_rounding():
    """Seeds that move against each other leave a mean that does not move at all."""
    rng = np.random.default_rng(5)
    rounded = 0
    for _ in range(200):
        draws = rng.normal(size=50) * 1e-3 + 0.1
        replicates = np.stack([draws, 0.7 - draws], axis=1)
        rounded += np.cov(replicates, rowvar=False).mean() < 0
        quantity = intervals.Replicated(np.array([0.1, 0.6]), replicates, np.zeros((50, 2)))
        assert intervals.variance_parts(quantity).items >= 0
        assert np.isfinite(intervals.seed_interval(quantity).low)
    assert rounded, "rounding never went below zero: the case is not tested"
