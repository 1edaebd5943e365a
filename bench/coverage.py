"""How often intervals hold the truth: coverage by simulation for 2, 3 and 5 seeds.

    PYTHONPATH=code:tests/evidence python bench/coverage.py [data sets]

Studies of CoLA's size (1,043 items, 70 % acceptable) whose population MCC is known; the seeds of a
method differ with a standard deviation of 2.4 points of MCC. ``cover``: share of 95 % intervals of
one method that hold the truth; ``false``: share of studies that tell two equal methods apart. With
two seeds reports show the interval over items only.
"""

import sys

import numpy as np
from scipy import stats
from test_intervals import Judgements, rates

from evidence import scoring


def main() -> None:
    """Prints a row for each number of seeds."""
    data_sets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    world, spread = Judgements(), stats.norm(0.75, 0.04)
    truths = {scoring.matthews_correlation: spread.expect(world.population_mcc)}
    print("seeds  cover  cover_items  false  false_items")
    for seeds in (2, 3, 5):
        rng = np.random.default_rng(21)

        def draw(seeds: int = seeds, rng: np.random.Generator = rng) -> np.ndarray:
            return world.draw(spread.rvs((2, seeds), random_state=rng), rng)

        found = rates(draw, truths, rng, data_sets)[scoring.matthews_correlation]
        shown = (found[name] for name in ("cover", "cover_items", "false", "false_items"))
        print(f"{seeds:5}  " + "  ".join(f"{value:.3f}" for value in shown), flush=True)


if __name__ == "__main__":
    main()
