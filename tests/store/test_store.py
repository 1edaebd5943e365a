"""The store: keys, atomic entries, damage, locks."""

import errno
import json
import multiprocessing
import os
import time
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
@settings(deadline=None, max_examples=60)
def test_a_key_does_not_depend_on_the_order_of_its_payload(payload: dict) -> None:
    turned = dict(reversed(payload.items()))
    assert Key("s", "n", 1, payload).digest == Key("s", "n", 1, turned).digest
    assert json.loads(canonical_json(payload)) == json.loads(json.dumps(payload))


@given(st.dictionaries(st.text(max_size=3), VALUES, min_size=1, max_size=3), st.data())
@settings(deadline=None, max_examples=60)
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

    first = store.produce(key(a=1), make, lambda: {"host": "here"})
    second = store.produce(key(a=1), make)
    assert calls == [1] and first == second
    assert second.result() == {"value": 0.5, "list": [1, None]}
    assert second.arrays()["words"].tolist() == ["ä", "b"]
    assert second.provenance() == {"host": "here"}
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


@pytest.mark.parametrize("harm", ["flip", "truncate", "delete", "manifest", "foreign"])
def test_a_damaged_entry_is_a_miss_said_aloud_and_kept(tmp_path: Path, harm: str) -> None:
    store = Store(tmp_path)
    entry = store.produce(key(), lambda _: {"value": 1})
    file = entry.folder / "result.json"
    text = file.read_text()
    if harm == "flip":
        file.write_text(text.replace("1", "2"))
    elif harm == "truncate":
        file.write_text(text[:-2])
    elif harm == "delete":
        file.unlink()
    elif harm == "manifest":
        (entry.folder / "manifest.json").write_text("not json")
    else:
        manifest = entry.manifest() | {"digest": "0" * 64}
        (entry.folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.warns(UserWarning, match="damaged"):
        assert store.find(key()) is None
    assert len(list((tmp_path / "damaged").iterdir())) == 1
    assert store.produce(key(), lambda _: {"value": 3}).result() == {"value": 3}


def test_a_large_file_is_checked_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.entries.LARGE_FILE", 10)
    store = Store(tmp_path)

    def make(folder: Path) -> dict:
        (folder / "weights.bin").write_bytes(b"x" * 1000)
        return {}

    entry = store.produce(key(), make)
    assert entry.path("weights.bin").read_bytes()[:1] == b"x"
    (entry.folder / "weights.bin").write_bytes(b"y" * 1000)
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(StudyError, match="checksum"),
    ):
        entry.path("weights.bin")


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="Python objects"):
        save_arrays(tmp_path, x=np.array([{}], dtype=object))
    with pytest.raises(TypeError, match="not storable"):
        Store(tmp_path).produce(key(), lambda _: {"x": object()})


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    def fill(_: Path) -> dict:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StudyError, match=r"No space left.*\n.*CACHE_DIR"):
        Store(tmp_path).produce(key(), fill)
    with pytest.raises(StudyError, match="No space left"), disk_errors(tmp_path):
        raise RuntimeError("[enforce fail] . file write failed")
    with pytest.raises(OSError, match="other"), disk_errors(tmp_path):
        raise OSError(errno.EIO, "other")


def _produce(root: str, log: str) -> None:
    def make(_: Path) -> dict:
        with Path(log).open("a") as stream:
            stream.write("made\n")
        time.sleep(0.3)
        return {"value": 1}

    assert Store(Path(root)).produce(key(), make).result() == {"value": 1}


def test_two_processes_make_an_entry_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    log = tmp_path / "log"
    workers = [
        context.Process(target=_produce, args=(str(tmp_path / "s"), str(log))) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert log.read_text() == "made\n"
