"""Kills a small study at random moments; its results must be those of an undisturbed one.

python bench/torture_study.py [--kills N] [--seed S]
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a forked process cannot take threads along
for folder in ("code", "tests"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / folder))

if __name__ == "__main__":
    from torture import main

    parser = argparse.ArgumentParser(description="Kill and resume a small study.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    options = parser.parse_args()
    main(options.kills, options.seed)
