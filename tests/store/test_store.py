"""The store: keys, atomic entries, damage, locks."""

import errno
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.entries import Key, Store, canonical_json, disk_errors, save_arrays
from study.errors import StudyError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def key(version: int = 1, **payload: object) -> Key:
    return Key("stage", "name", version, payload)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
@settings(max_examples=60)
def test_a_key_does_not_depend_on_the_order_of_its_payload(payload: dict) -> None:
    turned = dict(reversed(payload.items()))
    assert Key("s", "n", 1, payload).digest == Key("s", "n", 1, turned).digest
    assert json.loads(canonical_json(payload)) == json.loads(json.dumps(payload))


@given(st.dictionaries(st.text(max_size=3), VALUES, min_size=1, max_size=3), st.data())
@settings(max_examples=60)
def test_any_changed_value_changes_the_key(payload: dict, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(payload)))
    other = data.draw(VALUES)
    changed = {**payload, name: other}
    same = canonical_json(changed) == canonical_json(payload)
    assert (Key("s", "n", 1, changed).digest == Key("s", "n", 1, payload).digest) == same


def test_stage_and_version_belong_to_the_key_and_the_name_does_not() -> None:
    base = Key("a", "n", 1, {})
    assert Key("b", "n", 1, {}).digest != base.digest != Key("a", "n", 2, {}).digest
    assert Key("a", "other", 1, {}).digest == base.digest


def test_nan_is_not_a_setting() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        _ = key(rate=float("nan")).digest


def test_a_result_is_made_once_and_read_back(tmp_path: Path) -> None:
    store, calls = Store(tmp_path), []

    def make(folder: Path) -> dict:
        calls.append(1)
        save_arrays(folder, x=np.arange(3), words=np.array(["ä", "b"]))
        return {"value": np.float64(0.5), "list": [1, None]}

    first = store.produce(key(a=1), make, lambda: {"device": "here"})
    second = store.produce(key(a=1), make)
    assert calls == [1] and first == second
    assert second.result() == {"value": 0.5, "list": [1, None]}
    assert second.arrays()["words"].tolist() == ["ä", "b"]
    assert second.provenance() == {"device": "here"}
    assert (
        second.size
        == sum(f.stat().st_size for f in second.folder.iterdir())
        - (second.folder / "manifest.json").stat().st_size
    )


def test_a_failed_producer_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail(folder: Path) -> dict:
        (folder / "half.json").write_text("{")
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        store.produce(key(), fail)
    assert store.find(key()) is None
    assert not list((tmp_path / "stage").iterdir())


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="Python objects"):
        save_arrays(tmp_path, x=np.array([{}], dtype=object))
    with pytest.raises(TypeError, match="not storable"):
        Store(tmp_path).produce(key(), lambda _: {"x": object()})


@pytest.mark.parametrize(
    "number", [errno.EIO, errno.ESTALE, errno.ENOLCK, errno.ENOTSUP, errno.EISDIR, errno.EMFILE]
)
def test_what_a_network_drive_answers_is_a_sentence(tmp_path: Path, number: int) -> None:
    said = os.strerror(number)
    with pytest.raises(StudyError, match=re.escape(said)), disk_errors(tmp_path):
        raise OSError(number, said)


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    def fill(_: Path) -> dict:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StudyError, match=r"No space left.*\n.*CACHE_DIR"):
        Store(tmp_path).produce(key(), fill)
    with pytest.raises(StudyError, match="No space left"), disk_errors(tmp_path):
        raise RuntimeError("[enforce fail] . file write failed")
    with pytest.raises(OSError, match="other"), disk_errors(tmp_path):
        raise OSError(errno.ECHILD, "other")
