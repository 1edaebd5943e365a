"""Nothing damaged is used, nothing finished is lost, nothing outside the store is touched."""

import json
import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile import PAYLOADS
from store import damage
from store.entries import Entry, Key, Store, save_arrays
from store.ledger import Ledger
from study.errors import StudyError
from tiny_study import load_tiny_profile
from waiting import PATIENCE

FILES = ("manifest.json", "config.json", "result.json", "provenance.json", "arrays.npz", "big.bin")
RESULT = {"value": 0.25, "text": "ä\n", "rows": [1, None]}
KEY = Key("stage", "name", 1, {"a": 1})


def make(folder: Path) -> dict[str, Any]:
    save_arrays(folder, x=np.arange(30.0), words=np.array(["ä", "b"]))
    (folder / "big.bin").write_bytes(bytes(range(256)) * 8)
    return RESULT


def content_of(entry: Entry) -> list[Any]:
    arrays = {name: array.tolist() for name, array in entry.arrays().items()}
    big = entry.path("big.bin").read_bytes()
    return [entry.result(), entry.provenance(), arrays, big, entry.manifest()["digest"]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    Store(root).produce(KEY, make, lambda: {"device": "here"})
    return root


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Callable[[], Store]:
    numbers = iter(range(10**6))

    def copy() -> Store:
        return Store(shutil.copytree(whole, tmp_path / f"store{next(numbers)}"))

    return copy


def assert_never_wrong(store: Store, right: list[Any]) -> bool:
    """The entry reads as it was written, or it is kept aside and made anew; True for the first."""
    entry = store.find(KEY)
    try:
        found = content_of(entry) if entry else None
    except StudyError as error:
        assert "moved aside" in str(error)
        found = None
    if found is None:
        assert store.state(KEY) == "damaged"
        assert len(list((store.root / "damaged").iterdir())) == 1
        found = content_of(store.produce(KEY, make, lambda: {"device": "here"}))
        assert store.state(KEY) == "finished"
    else:
        assert not (store.root / "damaged").exists()
    assert found == right
    return entry is not None


@given(st.sampled_from(FILES), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_flipped_byte_is_ever_read(
    copied: Callable[[], Store], file: str, where: float, flip: int
) -> None:
    store = copied()
    right = content_of(Entry(store.root / KEY.folder_name))
    path = store.root / KEY.folder_name / file
    damaged = bytearray(path.read_bytes())
    damaged[int(where * len(damaged))] ^= flip
    path.write_bytes(damaged)
    survived = assert_never_wrong(store, right)
    assert not survived or file == "manifest.json", "a checksum was not looked at"


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("harm", ["empty", "half", "longer", "gone", "folder", "zeros", "foreign"])
def test_no_broken_file_is_ever_read(
    copied: Callable[[], Store],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    harm: str,
    large: bool,
) -> None:
    store = copied()
    right = content_of(Entry(store.root / KEY.folder_name))
    if large:
        monkeypatch.setattr(damage, "LARGE_FILE", 100)
    path = store.root / KEY.folder_name / file
    whole = path.read_bytes()
    path.unlink()
    if harm == "folder":
        path.mkdir()
    elif harm != "gone":
        wrong = {"empty": b"", "half": whole[: len(whole) // 2], "longer": whole + b"x"}
        path.write_bytes({**wrong, "zeros": bytes(len(whole)), "foreign": b"{}"}[harm])
    assert_never_wrong(store, right)
    said = capsys.readouterr().err
    assert "is damaged" in said and "kept as damaged/" in said
    assert "Warning" not in said and ".py" not in said


def test_a_manifest_may_not_leave_anything_out(copied: Callable[[], Store]) -> None:
    for change in (
        lambda m: m["files"].pop("result.json"),
        lambda m: m.update(digest="0" * 64),
        lambda m: m.update(files={"../../x": {"bytes": 1, "sha256": "0"}, **m["files"]}),
        lambda m: m.update(files=[1, 2]),
    ):
        store = copied()
        path = store.root / KEY.folder_name / "manifest.json"
        manifest = json.loads(path.read_text())
        change(manifest)
        path.write_text(json.dumps(manifest))
        assert store.find(KEY) is None


@pytest.mark.parametrize("count", range(len(FILES)))
def test_half_an_entry_is_none(whole: Path, tmp_path: Path, count: int) -> None:
    """As a copy that was interrupted leaves it, and as a killed process leaves it."""
    store = Store(tmp_path)
    half = tmp_path / KEY.folder_name
    half.mkdir(parents=True)
    for name in FILES[::-1][:count]:
        shutil.copy(whole / KEY.folder_name / name, half / name)
    left_over = half.with_name(f".{half.name}.{os.getpid()}.tmp")
    shutil.copytree(half, left_over)
    assert store.find(KEY) is None
    assert store.produce(KEY, make).result() == RESULT
    assert not left_over.exists()


# ------------------------------------------------------------------------ moved, copied, clocks


def test_line_ends_of_another_system_lose_nothing(copied: Callable[[], Store]) -> None:
    store = copied()
    right = content_of(Entry(store.root / KEY.folder_name))
    for file in (store.root / KEY.folder_name).glob("*.json"):
        before = file.read_bytes()
        file.write_bytes(before.replace(b"\n", b"\r\n"))
        assert file.read_bytes() != before
    assert assert_never_wrong(store, right)


def test_a_moved_store_and_a_wrong_clock_lose_nothing(copied: Callable[[], Store]) -> None:
    store = copied()
    right = content_of(Entry(store.root / KEY.folder_name))
    moved = store.root.with_name("mövëd # %41 'x' $y")
    store.root.rename(moved)
    for seconds in (0, 4e9):
        for file in (moved / KEY.folder_name).iterdir():
            os.utime(file, (seconds, seconds))
        assert assert_never_wrong(Store(moved), right)


# ------------------------------------------------------------------------------ nothing outside


@pytest.mark.parametrize(
    "name", ["../victim", "/etc", "stage/../../victim", "stage", "", ".", "stage/name", 3, None]
)
def test_a_ledger_moves_no_folder(tmp_path: Path, name: Any) -> None:
    """An entry's name ``../victim`` once made the reader move that folder into the store."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / "cache" / "stage").mkdir(parents=True)
    with pytest.raises(StudyError, match="expected the name of a stored result"):
        Store(tmp_path / "cache").open(name)
    assert victim.is_dir()


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "stage").symlink_to(tmp_path)
    name = f"x-{'0' * 12}"
    victim.rename(tmp_path / name)
    with pytest.raises(StudyError, match="expected the name"):
        Store(tmp_path / "cache").open(f"stage/{name}")
    assert (tmp_path / name).is_dir()


@pytest.mark.parametrize("name", PAYLOADS)
def test_any_name_of_a_method_makes_a_folder_in_the_store(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "cache")
    entry = store.produce(Key("stage", name, 1, {}), lambda _: {"v": 1})
    assert entry.folder.parent == tmp_path / "cache" / "stage"
    assert store.open(entry.name) == entry
    assert list(tmp_path.iterdir()) == [tmp_path / "cache"]


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"runs": 1}', "\x00", "[" * 10**5])
def test_a_damaged_ledger_is_a_sentence(tmp_path: Path, text: str) -> None:
    profile = load_tiny_profile()
    (tmp_path / "ledger-tiny.json").write_text(text)
    with pytest.raises(StudyError, match="list of stored results") as error:
        Ledger.load(tmp_path, profile)
    assert "python code/run.py --profile tiny" in str(error.value)


def test_a_failure_tells_no_folder_of_this_machine(tmp_path: Path) -> None:
    ledger = Ledger(load_tiny_profile())
    ledger.record_failure("r", f"{Path.home()}/secret/x.tsv:3: bad; /srv/a b/c; https://a.b/c/d")
    reason = ledger.content["failures"]["r"]
    assert str(Path.home()) not in reason and "/srv" not in reason
    assert "x.tsv:3: bad" in reason and "https://a.b/c/d" in reason


# ------------------------------------------------------------------------------------ processes


def _work(root: str, log: str, order: int) -> None:
    keys = [Key("stage", f"run{n}", 1, {"n": n}) for n in range(4)]
    for key in keys[order % 4 :] + keys[: order % 4]:

        def make_slowly(_: Path, key: Key = key) -> dict[str, Any]:
            with Path(log).open("a") as stream:
                stream.write(f"{key.name}\n")
            time.sleep(0.1)
            return {"value": key.name}

        assert Store(Path(root)).produce(key, make_slowly).result() == {"value": key.name}


def run_at_once(target: Callable[..., None], arguments: list[tuple[Any, ...]]) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=target, args=args) for args in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    assert all(worker.exitcode is not None for worker in workers), f"{target} goes on"
    assert [worker.exitcode for worker in workers] == [0] * len(workers)


@pytest.mark.parametrize("processes", [2, 5, 8])
def test_many_processes_make_each_entry_once(tmp_path: Path, processes: int) -> None:
    log = tmp_path / "log"
    run_at_once(_work, [(str(tmp_path / "s"), str(log), n) for n in range(processes)])
    assert sorted(log.read_text().split()) == ["run0", "run1", "run2", "run3"]


def test_many_processes_that_meet_damage_make_each_entry_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    _work(str(tmp_path / "s"), str(log), 0)
    for file in (tmp_path / "s" / "stage").glob("*/result.json"):
        file.write_text("{}")
    run_at_once(_work, [(str(tmp_path / "s"), str(log), n) for n in range(8)])
    assert sorted(log.read_text().split()) == sorted(["run0", "run1", "run2", "run3"] * 2)
    assert len(list((tmp_path / "s" / "damaged").iterdir())) == 4


# ----------------------------------------------------------------------------------------- disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root and its permission")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    store = Store(small_disk)
    store.produce(KEY, make)
    other = Key("stage", "other", 1, {"b": 2})

    def fill(folder: Path) -> dict[str, Any]:
        (folder / "large.bin").write_bytes(bytes(2**21))
        return {}

    with pytest.raises(StudyError, match="No space left") as error:
        store.produce(other, fill)
    assert "CACHE_DIR" in str(error.value)
    assert content_of(store.find(KEY) or pytest.fail("lost"))[0] == RESULT
    assert store.state(other) == "missing" and store.produce(other, make).result() == RESULT


def _on_a_read_only_store(root: str) -> None:
    if os.geteuid() == 0:
        os.setegid(65534)
        os.seteuid(65534)
    store = Store(Path(root))
    assert content_of(store.produce(KEY, make))[0] == RESULT, "what is there is used"
    with pytest.raises(StudyError, match=r"cannot write.*\n.*CACHE_DIR"):
        store.produce(Key("stage", "other", 1, {"b": 2}), make)
    with pytest.raises(StudyError, match="cannot be moved aside"):
        store.find(Key("stage", "damaged", 1, {}))


def test_a_read_only_store_is_used_and_refuses_in_sentences(whole: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are shut to other users
        store = Store(shutil.copytree(whole, Path(folder) / "store"))
        broken = store.produce(Key("stage", "damaged", 1, {}), make)
        (broken.folder / "result.json").write_text("{}")
        Path(folder).chmod(0o755)
        paths = (store.root, *store.root.rglob("*"))
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            run_at_once(_on_a_read_only_store, [(str(store.root),)])
        finally:
            for path in paths:
                path.chmod(0o755 if path.is_dir() else 0o644)
