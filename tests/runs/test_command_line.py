"""The command line, and the unchanged ``full`` profile through a stand-in hub."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import run
from conftest import FinishedStudy
from hub import Hub, run_with_hub
from store.entries import Store
from study.profiles import load_profile
from tiny_study import PROFILE
from waiting import run_process

ROOT = Path(__file__).parents[2]


def test_an_unknown_profile_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--profile", "dmo"]) == 1
    error = capsys.readouterr().err
    assert "unknown profile 'dmo'" in error and "did you mean 'demo'" in error
    assert "Traceback" not in error


def test_the_profile_comes_from_quarto_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTO_PROFILE", "laptop")
    assert run._parse([]).profile == "laptop"
    assert run._parse(["--profile", "demo"]).profile == "demo"
    monkeypatch.delenv("QUARTO_PROFILE")
    assert run._parse([]).profile == "full"


def test_the_studys_profile_is_found_among_those_that_quarto_was_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("QUARTO_PROFILE", "draft,demo")
    assert run.main(["--list"]) == 0
    assert "cola-full-seed42" in capsys.readouterr().out
    monkeypatch.setenv("QUARTO_PROFILE", "demo,full")
    assert run.main(["--list"]) == 1
    error = capsys.readouterr().err
    assert "demo and full are two profiles" in error and "did you mean" not in error
    assert load_profile("demo draft").name == load_profile("demo").name == "demo"


def test_an_output_that_cannot_be_written_is_said_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(*_: object) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr(run, "_run_all", train)
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    for variable in ("OUTPUT_DIR", "FIGURES_DIR"):
        (tmp_path / variable).write_text("a file where a folder should be")
        monkeypatch.setenv("OUTPUT_DIR", str(tmp_path / "out"))
        monkeypatch.setenv(variable, str(tmp_path / variable / "below"))
        assert run.main(["render", "--profile", "demo"]) == 1
        assert variable in capsys.readouterr().err
    monkeypatch.setenv("FIGURES_DIR", str(tmp_path / "figures"))
    monkeypatch.setattr(run, "REPORT_BYTES", 10**18)
    assert run.main(["render", "--profile", "demo"]) == 1
    assert "are needed" in capsys.readouterr().err


def test_a_full_standard_output_is_a_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "code/run.py", "--list", "--profile", "nonesuch"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        assert "unknown profile" in done.stderr, "nothing was written yet"
        code = "import sys; sys.path[0] = 'code'; import run\nrun._list = lambda _: print('x')\n"
        code += "sys.exit(run.main(['--list', '--profile', 'demo']))"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "cannot write: standard output: No space left" in done.stderr


def test_what_a_failed_render_of_quarto_left_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "project_root", lambda: tmp_path)
    monkeypatch.setenv("QUARTO_PROJECT_INPUT_FILES", "report.qmd\nreport.ru.qmd")
    for name in ("report_files", "report.ru_files", "my_files"):
        (tmp_path / name / "figure-typst").mkdir(parents=True)
    run._remove_left_over()
    assert [folder.name for folder in tmp_path.iterdir()] == ["my_files"]


def test_data_dir_that_is_no_folder_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    assert run.main(["--profile", "laptop"]) == 1
    assert "DATA_DIR" in capsys.readouterr().err


def test_an_unknown_run_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--profile", "demo", "--only", "cola-lora-seed1"]) == 1
    assert "cola-lora-seed42" in capsys.readouterr().err


def test_nothing_finished_is_a_sentence_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    assert run.main(["--profile", "demo", "--finished-only"]) == 1
    assert "python code/run.py --profile demo" in capsys.readouterr().err


def test_listing_shows_every_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    assert run.main(["--profile", "demo", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 13 + 8 and all(" missing " in line for line in lines[1:])


def test_listing_says_damaged_and_not_finished(
    finished: FinishedStudy,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cache = shutil.copytree(finished.store.root, tmp_path / "cache")
    name = finished.ledger.content["runs"]["cola-lora-seed1"]["train"]
    (cache / name / "result.json").write_text("{}")
    profile = tmp_path / "tiny.toml"
    profile.write_text(PROFILE)
    monkeypatch.setenv("CACHE_DIR", str(cache))
    monkeypatch.setenv("EXPERIMENTS_FILE", str(profile))
    for _ in range(2):
        assert run.main(["--profile", "tiny", "--list"]) == 0
        lines = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()}
        assert lines.pop("run") == "state" and lines.pop("cola-lora-seed1") == "damaged"
        assert set(lines.values()) == {"finished"} and len(lines) > 8


def test_a_reader_that_has_enough_is_no_traceback() -> None:
    """``run.py --list | head -1``: also what is still to be written when the process ends."""
    code = """
import sys
sys.path.insert(0, "code")
import run
run._list = lambda profile: [print("x" * 1000, flush=number % 2) for number in range(200)]
sys.exit(run.main(["--list", "--profile", "demo"]))
"""
    reader, writer = os.pipe()
    os.close(reader)
    done = run_process(
        [sys.executable, "-c", code], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_ctrl_c_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_run_all", interrupt)
    assert run.main(["--profile", "demo"]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_a_full_disk_ends_with_a_sentence(finished: FinishedStudy, tmp_path: Path) -> None:
    """A real full disk would need a file system of its own; /dev/full refuses every byte."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "code")!r})
from pathlib import Path
from store.entries import Key, Store
from study.errors import StudyError
def make(folder):
    with open("/dev/full", "w") as stream:
        stream.write("x" * 100_000)
        stream.flush()
    return {{}}
try:
    Store(Path({str(tmp_path)!r})).produce(Key("s", "n", 1, {{}}), make)
except StudyError as error:
    print(error)
"""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    done = run_process([sys.executable, "-c", code], capture_output=True)
    assert "No space left on device" in done.stdout and "CACHE_DIR" in done.stdout, done.stderr


@pytest.mark.slow
def test_the_full_profile_runs_unchanged_on_a_stand_in_hub(hub: Hub, tmp_path: Path) -> None:
    """Seeds are cut to one by a local file; loading, pins and models are the profile's own."""
    cache = tmp_path / "cache"
    arguments = ["code/run.py", "--profile", "single"]
    done = run_with_hub(arguments, hub, home=tmp_path / "home", cwd=ROOT, CACHE_DIR=str(cache))
    assert done.returncode == 0, done.stderr[-3000:]
    ledger = json.loads((cache / "ledger-single.json").read_text())
    assert ledger["failures"] == {}
    assert len(ledger["runs"]) == 6
    sources = Store(cache).open(ledger["runs"]["pos-lora-seed42"]["train"]).result()["sources"]
    assert "3f076fdb1ab6" in sources["model"]
    assert set(sources) == {"en_ewt:train", "en_ewt:validation", "de_gsd:test", "model"}
    again = run_with_hub(arguments, hub, home=tmp_path / "home", cwd=ROOT, CACHE_DIR=str(cache))
    assert again.returncode == 0 and "[1/" not in again.stderr


@pytest.mark.slow
def test_no_network_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    # The hub's client waits longer and longer between its attempts, half a minute in all.
    code = "import sys, time, run; time.sleep = lambda _: None; sys.exit(run.main(sys.argv[1:]))"
    done = run_with_hub(
        ["-c", code, "--profile", "single"],
        hub,
        PYTHONPATH=str(ROOT / "code"),
        home=tmp_path / "home",
        cwd=ROOT,
        CACHE_DIR=str(tmp_path / "cache"),
        HF_ENDPOINT="http://127.0.0.1:9",
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "--profile demo" in done.stderr or "DATA_DIR" in done.stderr
