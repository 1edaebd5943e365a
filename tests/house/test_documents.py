"""What the documents and the workflow name exists: commands, files, settings, functions."""

import ast
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import run
from facts.quantities import QUANTITIES
from runs.grid import plan_runs
from study.paths import project_root
from study.profiles import load_profile
from waiting import run_process

ROOT = project_root()
CODE = ROOT / "code"
README, GUIDE, TESTING = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "GUIDE.md", "TESTING.md")
)
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8"))
STEPS = WORKFLOW["jobs"]["check"]["steps"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(\w+=\S+ )*(make|quarto|python|conda|pip|pytest) \S")
LEAVING = {"words", "answers"}  # their files move into the room `text`


def prose(text: str) -> str:
    return FENCE.sub("", text)


def commands(text: str) -> list[str]:
    """The commands of a document: of its blocks and of the words set as code."""
    blocks = "\n".join(body for kind, body in FENCE.findall(text) if kind in ("bash", ""))
    lines = [line.split("  #")[0].removeprefix("!") for line in blocks.splitlines()]
    spans = [span for span in SPAN.findall(prose(text)) if COMMAND.match(span)]
    return [part.strip() for line in (*lines, *spans) for part in line.split("&&") if part.strip()]


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its titles."""
    lines = text.split(f"{heading}\n", 1)[1].split("\n## ")[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


def check_make(words: list[str]) -> None:
    assert words, "no target"
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    done = run_process(["make", "-n", *words], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr


def check_quarto(words: list[str]) -> None:
    assert words[0] == "render" and (ROOT / words[1]).is_file()
    options = dict(zip(words[2::2], words[3::2], strict=True))
    assert options.keys() <= {"--profile", "--to"}
    profile = options.get("--profile", "full")
    assert load_profile(profile).name == profile
    assert (ROOT / f"_quarto-{profile}.yml").is_file()
    assert options.get("--to", "html") in ("html", "typst", "docx")


def check_python(words: list[str]) -> None:
    if words[0].startswith("bench/"):
        assert (ROOT / words[0]).is_file() and not words[1:]
        return
    assert words[0] == "code/run.py"
    options = run._parse(words[1:])
    runs = {planned.name for planned in plan_runs(load_profile(options.profile))}
    assert options.only is None or options.only in runs


def check_conda(words: list[str]) -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert words in (["env", "create", "-f", "environment.yml"], ["activate", environment["name"]])


def check_pip(words: list[str]) -> None:
    assert words[:2] == ["install", "-r"] and (ROOT / words[2]).is_file()


def check_pytest(words: list[str]) -> None:
    assert words == ["-m", "not slow"]
    assert '"slow: ' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "make": check_make,
    "quarto": check_quarto,
    "python": check_python,
    "conda": check_conda,
    "pip": check_pip,
    "pytest": check_pytest,
}
ELSEWHERE = ("git clone", "cd ", "from ")  # of the notebook
EVERY = sorted({*commands(README), *commands(GUIDE), *commands(TESTING)})


@pytest.mark.parametrize("command", [c for c in EVERY if not c.startswith(ELSEWHERE)])
def test_every_command_exists(command: str) -> None:
    words = shlex.split(command)
    while "=" in words[0]:
        variable = words.pop(0).split("=")[0]
        assert f'"{variable}"' in (CODE / "run.py").read_text(encoding="utf-8")
    assert words[0] in CHECKS, f"how is {command!r} to be checked?"
    CHECKS[words[0]](words[1:])


def test_the_commands_of_the_readme_are_found() -> None:
    found = commands(README)
    assert {"make demo", "make test", "make single", "quarto render report.qmd"} <= set(found)
    assert sum(map(found.count, set(found))) >= 12
    assert commands("`make it so` and\n```bash\nmake a && make b  # c\n```\n") == [
        *("make a", "make b", "make it so")
    ]


@pytest.mark.parametrize(
    "command", ["make nothing", "quarto render no.qmd", "python code/run.py --no", "conda x"]
)
def test_a_command_that_does_not_exist_is_found(command: str) -> None:
    words = command.split()
    with pytest.raises((AssertionError, SystemExit)):
        CHECKS[words[0]](words[1:])


def test_the_readme_is_one_screen() -> None:
    assert len(README.splitlines()) <= 62
    assert max(map(len, README.splitlines())) <= 108
    picture = re.search(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert picture and (ROOT / picture[1]).is_file()


@pytest.mark.parametrize("document", ["README.md", "GUIDE.md", "TESTING.md"])
def test_every_file_that_is_named_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    spans = [span for span in SPAN.findall(prose(text)) if re.fullmatch(r"[\w./-]+/[\w.-]+", span)]
    places = ("code/", "tests/", "bench/")
    named = [*links, *(span for span in spans if span.startswith(places))]
    assert len(named) >= 3
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_promise_names_a_command_or_a_test() -> None:
    for line in TESTING.split("## What is promised", 1)[1].splitlines():
        if line.startswith("|") and "---" not in line and "| how it is tested |" not in line:
            assert re.search(r"`(tests/|make |bench/)", line), line


def test_the_guides_settings_can_be_loaded(tmp_path: Path) -> None:
    blocks = [body for kind, body in FENCE.findall(GUIDE) if kind == "toml"]
    assert blocks
    file = tmp_path / "mine.toml"
    for block in blocks:
        file.write_text(block, encoding="utf-8")
        assert load_profile("mine", [ROOT / "experiments.toml", file]).name == "mine"


def test_the_guide_names_every_room() -> None:
    table = rows(GUIDE, "## The code in one minute")
    named = [room for row in table for room in SPAN.findall(row[0])]
    rooms = {file.parent.name for file in CODE.glob("*/__init__.py")}
    assert len(set(named)) == len(named) > 10
    assert set(named) == rooms - LEAVING


def defined(file: Path) -> set[str]:
    """Names of the functions and classes of a module."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_quantity_leads_to_its_formula() -> None:
    table = rows(GUIDE, "## From a number to its formula: three hops")
    quantities = [name for row in table for name in SPAN.findall(row[0])]
    assert sorted(quantities) == sorted(QUANTITIES), "a line of GUIDE.md a quantity"
    for quantity, place in table:
        file = None
        for span in SPAN.findall(place):
            if span.endswith(".py"):
                file = CODE / span
                assert file.is_file(), f"{quantity}: {span}"
            else:
                assert file is not None and span in defined(file), f"{quantity}: {span}"
        assert file is not None


def test_every_variable_and_message_of_the_guide_is_in_the_code() -> None:
    setup = (ROOT / name for name in ("Makefile", "install.py"))
    sources = "".join(file.read_text(encoding="utf-8") for file in setup)
    sources += "".join(file.read_text(encoding="utf-8") for file in CODE.rglob("*.py"))
    variables = [name for row in rows(GUIDE, "machines without a network") for name in row[:1]]
    names = [name for cell in variables for name in SPAN.findall(cell)]
    messages = [m for row in rows(GUIDE, "## When something fails") for m in SPAN.findall(row[0])]
    assert len(names) >= 8 and len(messages) >= 4
    known = {*names} - {"HF_HOME"}  # the hub's own
    assert [text for text in (*known, *messages) if text not in sources] == []


def test_the_workflow_checks_and_keeps_the_report() -> None:
    """Actions by commit: a tag can be moved."""
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action) for action in used)
    told = [step["run"] for step in STEPS if "run" in step]
    assert told == ["make check", "make demo"]
    for command in told:
        check_make(command.split()[1:])
    set_up = next(step["with"] for step in STEPS if "setup-python" in step.get("uses", ""))
    job = WORKFLOW["jobs"]["check"]
    assert set_up["python-version"] == "3.11" and job["env"]["PYTHON"] == "python3.11"
    assert (ROOT / set_up["cache-dependency-path"]).is_file()
    assert job["timeout-minutes"] and WORKFLOW["concurrency"] and WORKFLOW["permissions"]
    assert STEPS[-1]["with"]["path"] == "_output/demo/"
