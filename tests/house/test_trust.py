"""What the source must not do: unpickle, run foreign code, listen on the network."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.paths import project_root

CODE = project_root() / "code"
FILES = sorted(CODE.rglob("*.py"))
UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
SERVERS = {"socketserver", "http.server", "xmlrpc.server", "flask", "fastapi", "uvicorn"}
RUNNING = {"eval", "exec"}
LOADERS = {"from_pretrained", "load_dataset", "_load_tables"}  # of what may come with code
PINNED = ("corpora/hub.py", "UD_REVISION")  # the one place that runs code of the hub


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """The last name of what is called, and the call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            yield getattr(function, "attr", getattr(function, "id", "")), node


def argument(call: ast.Call, name: str) -> str | None:
    return next((ast.unparse(k.value) for k in call.keywords if k.arg == name), None)


def find_faults(source: str, file: str) -> list[str]:
    """What a source does that it must not."""
    tree, faults = ast.parse(source), []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        faults += [name for name in names if name in UNPICKLING | SERVERS]
    for name, call in calls(tree):
        text = ast.unparse(call.func)
        if text in RUNNING or name in ("read_pickle", "to_pickle"):
            faults.append(text)
        if text == "torch.load" and argument(call, "weights_only") != "True":
            faults.append("torch.load without weights_only")
        if name == "load" and text in ("np.load", "numpy.load"):
            faults += ["np.load"] if argument(call, "allow_pickle") != "False" else []
        if name in ("bind", "listen", "create_server", "start_server", "serve_forever"):
            faults += [] if text == "signature.bind" else [text]
        trusted = argument(call, "trust_remote_code")
        pinned = (file, argument(call, "revision")) == PINNED
        handed_on = any(keyword.arg is None for keyword in call.keywords)  # **options
        silent = trusted is None and (name not in LOADERS or handed_on)
        if trusted != "False" and not silent and not pinned:
            faults.append("trust_remote_code")
    return faults


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(CODE).as_posix())
def test_no_pickle_no_foreign_code_no_server(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert find_faults(source, file.relative_to(CODE).as_posix()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import http.server",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "np.load(file)",
        "np.load(file, allow_pickle=True)",
        "pd.read_pickle(file)",
        "eval(text)",
        "socket.bind(('', 80))",
        "AutoModel.from_pretrained(name)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "load_dataset(name, revision=revision)",
        "load_dataset(name, revision=revision, trust_remote_code=True)",
    ],
)
def test_each_of_these_would_be_found(source: str) -> None:
    """Guards the test above."""
    assert find_faults(source, "corpora/hub.py"), source
