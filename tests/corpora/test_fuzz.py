"""The short form of ``make fuzz``."""

import random
import re
from pathlib import Path

import pytest

from fuzz import damage, fuzz
from study.errors import StudyError
from study.paths import project_root
from study.profiles import load_profile


def test_damaged_inputs_are_read_whole_or_refused_in_a_sentence() -> None:
    tally = fuzz(250, seed=1)
    assert tally.findings == []
    assert tally.loaded.total() > 30 and tally.refused.total() > 100
    assert len(tally.refused) == 8, "each kind of file is refused sometimes"


def test_damage_changes_something() -> None:
    whole = b"1\ta\n2\tb\n\n" * 20
    changed = [damage(whole, random.Random(seed)) != whole for seed in range(100)]
    assert sum(changed) > 80


def test_settings_without_methods_are_a_sentence(tmp_path: Path) -> None:
    """Found by the fuzzing: a deleted line ended in a KeyError."""
    whole = (project_root() / "experiments.toml").read_text(encoding="utf-8")
    file = tmp_path / "x.toml"
    file.write_text(re.sub(r"^methods_run = .*\n", "", whole, flags=re.MULTILINE))
    with pytest.raises(StudyError, match="'methods_run' is missing"):
        load_profile("demo", [file])
