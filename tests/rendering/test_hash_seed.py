"""The same results give the same words in every process, whatever seed Python hashes text with."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPOKEN = """
import hashlib
from rendering.explorer import build_explorer
from rendering.export import _answers
from synthetic_experiments import study_with_experiments
from synthetic_study import build_study
from words.wording import load_wording
print(list({"full", "lora", "frozen"}))
for study in (study_with_experiments(), build_study(sentences=120, words=500, resamples=60)):
    for language in ("en", "ru"):
        told = str(list(_answers(study, language))) + build_explorer(study, load_wording(language))
        print(hashlib.sha256(told.encode()).hexdigest(), len(told))
"""


def spoken(seed: str) -> list[str]:
    """The order of a set, then a checksum of what is told of each study in each language."""
    ended = subprocess.run(
        [sys.executable, "-c", SPOKEN],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}/code:{ROOT}/tests"},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_ties_and_orders_do_not_depend_on_the_seed_of_hashes() -> None:
    (order, *told), (other_order, *other_told) = spoken("1"), spoken("2")
    assert order != other_order, "both seeds order sets alike: these two cannot tell"
    assert len(told) == 4
    assert told == other_told
