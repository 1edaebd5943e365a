"""Reads damaged corpora, settings and checkpoints: each loads or is refused in a sentence.

python bench/fuzz_inputs.py [--count N] [--seed N]
"""

import argparse
import sys
from pathlib import Path

for folder in ("code", "tests"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / folder))

if __name__ == "__main__":
    from fuzz import main

    parser = argparse.ArgumentParser(description="Read damaged inputs.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.exit(main(options.count, options.seed))
