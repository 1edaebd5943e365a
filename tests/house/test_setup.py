"""What sets the project up: the lock file names every pin, and a folder may be called anything."""

import re
import shutil
import sys
import tomllib
from pathlib import Path

import hypothesis
import pytest

from study.paths import project_root
from waiting import run_process

ROOT = project_root()
PIN = re.compile(r"^([\w.-]+)==([^\s;#\\]+)", re.MULTILINE)


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_holds_every_pin_with_checksums_and_no_address() -> None:
    """After a change of requirements*.txt: ``make lock``."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {normalised(name): version for name, version in PIN.findall(lock)}
    wanted = {
        normalised(name): version
        for file in ROOT.glob("requirements*.txt")
        for name, version in PIN.findall(file.read_text(encoding="utf-8"))
    }
    assert len(wanted) > 25
    assert {name: locked.get(name) for name in wanted} == wanted
    entries = re.split(r"\n(?=[\w.-]+==)", lock)[1:]
    assert len(entries) >= len(locked) > 100  # a package may have a pin for each platform
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "://" not in lock and "--index" not in lock and "--find-links" not in lock


def test_no_example_fails_for_being_slow() -> None:
    """A machine that does other work at the same time once failed half a suite."""
    assert hypothesis.settings().deadline is None
    assert hypothesis.HealthCheck.too_slow in hypothesis.settings().suppress_health_check


def test_versions_of_python_are_said_alike() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["requires-python"] == ">=3.11,<3.14"
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize(
    "name", ["a b", "x'y", 'x"y', "x$(touch owned)z", "x`touch owned`z", "a#b", "%41", "a:b", "ü-я"]
)
def test_make_works_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    """In a folder called ``x$(touch y)z`` every target once ran that command."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    folder = tmp_path / name
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / "code").mkdir()
    for file in ("Makefile", "requirements.txt", "requirements.lock"):
        shutil.copy(ROOT / file, folder)
    (folder / "code" / "run.py").write_text("import os, sys; print(os.getcwd(), sys.argv[1:])")
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (folder / ".venv" / ".quarto").touch()
    (folder / ".venv" / ".base").touch()
    for target in ("list", "render"):
        command = ["make", "-o", ".venv/.base", "-o", ".venv/.quarto", target, "PROFILE=demo"]
        done = run_process(command, cwd=folder, capture_output=True)
        assert done.returncode == 0, done.stderr
        assert str(folder) in done.stdout and "'--profile', 'demo'" in done.stdout
    assert not list(tmp_path.rglob("owned"))


def write_fake_python(file: Path, version: str) -> Path:
    """An interpreter that says that it is of this version, and does not make environments."""
    major, minor = version.split(".")
    file.write_text(
        f'#!/bin/sh\ncase "$1" in\n--version) echo "Python {version}.0" ;;\n'
        f'-m) echo "$(basename "$0") would install"; exit 3 ;;\n*) exec "{sys.executable}" -c '
        f'"import sys; sys.version_info = ({major}, {minor}, 0); $2" ;;\nesac\n'
    )
    file.chmod(0o755)
    return file


@pytest.mark.parametrize(
    ("version", "accepted"), [("3.10", False), ("3.14", False), ("3.12", True)]
)
def test_an_unfit_python_is_a_sentence(tmp_path: Path, version: str, accepted: bool) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for file in ("Makefile", "requirements.txt", "requirements.lock"):
        shutil.copy(ROOT / file, tmp_path)
    fake = write_fake_python(tmp_path / "fake python", version)
    command = ["make", "list", f"PYTHON={fake}"]
    done = run_process(command, cwd=tmp_path, capture_output=True)
    said = f"Python 3.11, 3.12 or 3.13 is needed, not Python {version}.0" in done.stdout
    assert said != accepted and done.returncode


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3": "3.14", "python3.12": "3.12", "python3.11": "3.11"}, "python3.12"),
        ({"python3": "3.14", "python3.13": "2.0", "python3.11": "3.11"}, "python3.11"),
        ({"python3": "3.12"}, "python3"),
        ({"python3": "3.14"}, None),
    ],
)
def test_the_first_python_that_fits_is_taken(
    tmp_path: Path, there: dict[str, str], taken: str | None
) -> None:
    """Where only one that does not fit is there, a command says how to get another."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    for file in ("Makefile", "requirements.txt", "requirements.lock"):
        shutil.copy(ROOT / file, tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "grep", "basename"):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name, version in there.items():
        write_fake_python(programs / name, version)
    command, path = [make, "list", "SHELL=sh"], {"PATH": str(programs)}
    done = run_process(command, cwd=tmp_path, env=path, capture_output=True)
    assert done.returncode
    if taken:
        assert f"{taken} would install" in done.stdout
    else:
        assert "not Python 3.14.0" in done.stdout
        assert "uv venv --seed --python 3.13 '.venv'" in done.stdout
