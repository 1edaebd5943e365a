"""Streams, folders, homes: what a process of the study meets on real machines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from study import process
from study.paths import cache_folder, data_folder, project_root, without_folders

ROOT = project_root()
# Prepares the process like run.py does, tells what became of it, and prints what ASCII lacks.
PROBE = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from study.process import prepare
prepare()
from pathlib import Path
from study.paths import without_folders
import getpass
print("обучение «LoRA» 50 %")
print("обучение", file=sys.stderr)
seen = {
    "home": str(Path.home()), "user": getpass.getuser(), "cache": os.environ.get("CACHE_DIR"),
    "text": without_folders("/a/b/c"), "descriptors": [os.fstat(n).st_ino > 0 for n in range(3)],
    "inherited": [os.get_inheritable(n) for n in range(3)],
}
Path(sys.argv[2]).write_text(json.dumps(seen))
"""


def probe(tmp_path: Path, prefix: str = "", suffix: str = "", **variables: str) -> dict:
    """What a process that begins under these circumstances finds."""
    (tmp_path / "probe.py").write_text(PROBE, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir(exist_ok=True)
    seen = tmp_path / "seen.json"
    command = f'{prefix} "{sys.executable}" "{tmp_path}/probe.py" "{ROOT}/code" "{seen}" {suffix}'
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path / "elsewhere", env={**os.environ, **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {**json.loads(seen.read_text()), "stdout": done.stdout}


def test_relative_folders_are_meant_from_where_the_command_was_given(tmp_path: Path) -> None:
    seen = probe(tmp_path, CACHE_DIR="own/cache")
    assert seen["cache"] == str(tmp_path / "elsewhere" / "own" / "cache")
    assert probe(tmp_path, CACHE_DIR="~/cache", HOME="/home/x")["cache"] == "/home/x/cache"


def test_every_folder_of_the_user_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    monkeypatch.chdir(tmp_path)
    for variable in process.PLACES:
        monkeypatch.setenv(variable, "d")
    process.prepare()
    assert {os.environ[variable] for variable in process.PLACES} == {str(tmp_path / "d")}
    monkeypatch.chdir("/")
    assert cache_folder() == data_folder() == tmp_path / "d"


def test_a_working_folder_that_is_gone_is_left(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    seen = probe(tmp_path, prefix=f'cd "{tmp_path}/gone" && rmdir "{tmp_path}/gone" &&')
    assert seen["text"] == "…/c"


def test_what_a_stream_cannot_show_is_replaced(tmp_path: Path) -> None:
    seen = probe(tmp_path, PYTHONIOENCODING="ascii")
    assert "?LoRA?" in seen["stdout"]
    assert "«LoRA»" in probe(tmp_path, PYTHONIOENCODING="utf-8")["stdout"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_opened(tmp_path: Path, closed: str) -> None:
    seen = probe(tmp_path, suffix=closed)
    assert seen["descriptors"] == [True] * 3
    assert seen["inherited"] == [True] * 3, "a kernel that begins without streams dies"


def test_a_user_whom_the_system_does_not_know_has_a_home_and_a_name(tmp_path: Path) -> None:
    prefix = "env -u HOME -u USER -u LOGNAME -u LNAME -u USERNAME "
    unknown = prefix + "unshare --user --map-user=12345 --map-group=12345 --"
    if subprocess.run(["sh", "-c", f"{unknown} true"], capture_output=True).returncode:
        pytest.skip("this system makes no other user")
    seen = probe(tmp_path, prefix=unknown, CACHE_DIR=str(tmp_path / "cache"))
    assert seen["home"] == str(tmp_path / "cache" / ".home") and seen["user"] == "user-12345"
    assert seen["text"] == "…/c"


def test_without_a_home_no_path_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed run is recorded without this machine's folders, home or none."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", staticmethod(no_home))
    assert without_folders("in /somewhere/deep/file") == "in …/file"


def test_a_safe_path_runs_the_command_line(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "CACHE_DIR": str(tmp_path)}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, str(ROOT / "code" / "run.py"), "--profile", "nonesuch"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "unknown profile 'nonesuch'" in done.stderr
