"""The order of the rooms: arrows point down, torch stays in the left wing, names are our own."""

import ast
import functools
import os
import sys
from importlib import metadata
from pathlib import Path

import pytest

from study.paths import project_root
from waiting import run_process

CODE = project_root() / "code"
# From the ground up: a room may use the rooms before it, and of the same height only itself.
HEIGHTS = (
    ("study",),
    ("facts",),
    ("evidence", "corpora", "words"),
    ("store",),
    ("encoders", "text"),
    ("drift", "training", "tables", "plots"),
    ("runs", "rendering"),
    ("verification",),
    ("run",),
)
# Arrows between rooms of one height.
BESIDE = {("drift", "training")}
LEFT_WING = {"encoders", "training", "drift", "runs", "verification", "run"}
HEAVY = {"torch", "transformers", "peft"}


@functools.cache
def modules() -> dict[str, Path]:
    """Dotted name -> file of every module in ``code/``."""
    found = {}
    for file in sorted(CODE.rglob("*.py")):
        parts = file.relative_to(CODE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@functools.cache
def imports(file: Path) -> set[str]:
    """Dotted names that a file imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            assert node.module is not None
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def height(room: str) -> int:
    return next(level for level, rooms in enumerate(HEIGHTS) if room in rooms)


def test_every_room_has_a_height() -> None:
    rooms = {name.split(".")[0] for name in modules()}
    assert rooms == {room for level in HEIGHTS for room in level}


@pytest.mark.parametrize("name", modules())
def test_arrows_point_down(name: str) -> None:
    room, known = name.split(".")[0], {n.split(".")[0] for n in modules()}
    for target in {target.split(".")[0] for target in imports(modules()[name])} & known - {room}:
        allowed = height(target) < height(room) or (room, target) in BESIDE
        assert allowed, f"{name} imports {target}, which does not lie below {room}"


def test_no_circle_inside_a_room() -> None:
    graph = {
        name: {target for target in imports(file) if target in modules() and target != name}
        for name, file in modules().items()
    }
    graph = {  # a package's front door is imported with every module behind it
        name: {t for t in targets if not name.startswith(f"{t}.")}
        for name, targets in graph.items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"circle: {' -> '.join((*path, name))}"
        if name not in done:
            for target in graph[name]:
                visit(target, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())
    assert len(done) == len(graph) > 40


@pytest.mark.parametrize("name", [n for n in modules() if n.split(".")[0] not in LEFT_WING])
def test_no_torch_outside_the_left_wing(name: str) -> None:
    assert not {target.split(".")[0] for target in imports(modules()[name])} & HEAVY


def test_stored_results_are_gone_through_without_the_libraries_that_train() -> None:
    """They take longer to import than a render of stored results may take."""
    code = "import sys; import runs.workers; print(*{name.split('.')[0] for name in sys.modules})"
    environment = {**os.environ, "PYTHONPATH": str(CODE)}
    done = run_process(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "torch" in loaded and "runs" in loaded
    assert not loaded & {"transformers", "peft", "datasets", "evaluate", "sklearn", "accelerate"}


def test_names_are_our_own() -> None:
    """``code/`` is on the path: a room named like a library would hide it, or be hidden."""
    rooms = {name.split(".")[0] for name in modules()}
    taken = set(sys.stdlib_module_names) | set(metadata.packages_distributions())
    assert len(taken) > 200, "no installed packages were found: the test would be vacuous"
    assert not rooms & taken


def test_sizes_of_files_and_classes() -> None:
    for name, file in modules().items():
        text = file.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, f"{name}: {len(text.splitlines())} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                assert (node.end_lineno or 0) - node.lineno < 250, f"{name}.{node.name}"
