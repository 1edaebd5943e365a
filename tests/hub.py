"""A stand-in for the Hugging Face hub on loopback: the project's own loading code runs against it.

It answers what ``huggingface_hub``, ``datasets`` and ``transformers`` ask for when they load by
name, with small content in the hub's formats: CoLA as GLUE's parquet, Universal Dependencies by a
loading script, tiny random checkpoints under the real names. Any revision is answered with the
same content. Libraries read ``HF_ENDPOINT`` when they are imported, so code that is to meet the
stand-in runs in a process of its own: ``run_with_hub``.
"""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from hub_content import MODELS, write_glue, write_local, write_model, write_treebanks
from waiting import PATIENCE, run_process

ROOT = Path(__file__).resolve().parent.parent
RAW_PREFIX = "/raw/"
TREEBANK_REPOSITORY = "datasets/universal-dependencies/universal_dependencies"
STALL_SECONDS = 3
TREEBANK_SCRIPT = f"{TREEBANK_REPOSITORY}/universal_dependencies.py"

_API = re.compile(r"/api/(models|datasets)/(.+)")
_RESOLVE = re.compile(r"/(datasets/)?(.+?)/resolve/([^/]+)/(.+)")
_RANGE = re.compile(r"bytes=(\d+)-")
_SHA = re.compile(r"[0-9a-f]{40}")
# What would lead the libraries past the stand-in.
_FOREIGN_VARIABLES = ("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "DATA_DIR", "MODEL_DIR", "UD_RAW")


@dataclass
class Hub:
    """A running stand-in.

    Attributes:
        url: its address, for ``HF_ENDPOINT``.
        folder: ``models/<id>``, ``datasets/<id>`` and ``raw/`` as they are served, and the same
            corpora in ``local/``.
        hidden: paths below ``folder`` that are answered as if they did not exist.
        faults: path below ``folder`` -> what happens to the next answers with this file: ``cut``
            (half of the bytes that are left, then the connection ends) or ``stall`` (no answer
            for ``STALL_SECONDS``).
        served: commit that every repository answers with, whatever was asked for; "" means what
            was asked for.
        requests: "GET /path" of every request so far.
        home: an empty home folder for the processes that use the stand-in.
    """

    url: str
    folder: Path
    home: Path
    hidden: set[str] = field(default_factory=set)
    faults: dict[str, list[str]] = field(default_factory=dict)
    served: str = ""
    requests: list[str] = field(default_factory=list)

    def next_fault(self, file: Path) -> str:
        """What happens to this answer; each fault happens once."""
        left = self.faults.get(file.relative_to(self.folder).as_posix(), [])
        return left.pop(0) if left else ""

    def commit(self, repository: str, revision: str) -> str:
        """A pinned revision is answered as itself, a branch by one made-up commit."""
        named = revision if _SHA.fullmatch(revision) else _oid(repository.encode())
        return self.served or named

    @contextlib.contextmanager
    def hiding(self, *paths: str) -> Iterator[None]:
        """Hides files for a while."""
        self.hidden.update(paths)
        try:
            yield
        finally:
            self.hidden.difference_update(paths)

    def find_file(self, relative: str) -> Path | None:
        path = self.folder / relative
        return path if path.is_file() and relative not in self.hidden else None

    def list_files(self, repository: str) -> list[str]:
        """Visible files of ``models/<id>`` or ``datasets/<id>``, relative to it."""
        root = self.folder / repository
        found = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.*"))
        return [name for name in found if self.find_file(f"{repository}/{name}")]


def write_hub(folder: Path, url: str) -> None:
    """Fills a folder with everything that the ``full`` and ``laptop`` profiles ask for."""
    local = folder / "local"
    write_local(local)
    write_glue(local, folder / "datasets" / "nyu-mll" / "glue")
    treebanks = folder / TREEBANK_REPOSITORY
    write_treebanks(local, treebanks, folder / "raw", url + RAW_PREFIX)
    for name in MODELS:
        write_model(folder / "models" / name, name, local)


@contextlib.contextmanager
def serve_hub(folder: Path) -> Iterator[Hub]:
    """Fills ``folder`` and serves it on a free port of the loopback until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    hub = Hub(f"http://127.0.0.1:{server.server_port}", folder / "served", folder / "home")
    hub.home.mkdir(parents=True)
    write_hub(hub.folder, hub.url)
    server.hub = hub  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the stand-in hub does not end"


@pytest.fixture(name="hub", scope="session")
def hub_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with serve_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


def run_with_hub(
    args: Sequence[str | Path],
    hub: Hub,
    *,
    home: Path | None = None,
    cwd: Path = ROOT,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Runs ``python *args`` in a process for which the stand-in is the hub and nothing else exists.

    Args:
        args: what follows ``python``.
        hub: the stand-in.
        home: home folder with the libraries' caches; the stand-in's own by default.
        cwd: working folder.
        variables: further environment variables.
    """
    return run_process(
        [sys.executable, *map(str, args)],
        env=build_environment(hub, home or hub.home) | variables,
        cwd=cwd,
        capture_output=True,
    )


def build_environment(hub: Hub, home: Path) -> dict[str, str]:
    """This process's environment, with the stand-in as hub and a dead proxy for all other hosts."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN_VARIABLES)}
    dead = "http://127.0.0.1:9"
    return kept | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home / "huggingface"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HOME": str(home),
        "UD_RAW_URL": f"{hub.url}{RAW_PREFIX}UniversalDependencies",
        "HTTP_PROXY": dead,
        "HTTPS_PROXY": dead,
        "http_proxy": dead,
        "https_proxy": dead,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "code"), str(ROOT / "tests")]),
    }


class _Handler(BaseHTTPRequestHandler):
    """Answers the hub's endpoints from ``server.hub``."""

    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(body)

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if match := _API.fullmatch(path):
            self._answer_api(f"{match[1]}", match[2], parse_qs(parts.query), body)
        elif match := _RESOLVE.fullmatch(path):
            repository = f"{'datasets' if match[1] else 'models'}/{match[2]}"
            self._answer_file(repository, match[3], match[4])
        elif path.startswith(RAW_PREFIX) and (file := self.hub.find_file(path.lstrip("/"))):
            self._send_file(file, {"Content-Type": "text/plain; charset=utf-8"})
        else:
            self._refuse("RepoNotFound")

    def _answer_api(self, kind: str, rest: str, query: dict[str, Any], body: bytes) -> None:
        repository, action = self._split_action(kind, rest)
        if repository is None:
            self._refuse("RepoNotFound")
        elif not action or action[0] == "revision":
            revision = action[1] if len(action) > 1 else "main"
            self._send_json(self._describe(repository, revision))
        elif action[0] == "tree":
            self._answer_tree(repository, "/".join(action[2:]), query)
        elif action[0] == "paths-info":
            self._send_json(self._find_paths(repository, body))
        else:
            self._refuse("EntryNotFound")

    def _split_action(self, kind: str, rest: str) -> tuple[str | None, list[str]]:
        """Ids have one or two segments; the longer one that is served wins."""
        segments = rest.strip("/").split("/")
        for size in (2, 1):
            repository = "/".join([kind, *segments[:size]])
            if self.hub.list_files(repository) and len(segments) >= size:
                return repository, segments[size:]
        return None, []

    def _describe(self, repository: str, revision: str) -> dict[str, Any]:
        return {
            "id": repository.split("/", 1)[1],
            "sha": self.hub.commit(repository, revision),
            "private": False,
            "gated": False,
            "disabled": False,
            "tags": [],
            "siblings": [{"rfilename": name} for name in self.hub.list_files(repository)],
        }

    def _answer_tree(self, repository: str, folder: str, query: dict[str, Any]) -> None:
        prefix = f"{folder}/" if folder else ""
        names = [n for n in self.hub.list_files(repository) if n.startswith(prefix)]
        if not names:
            self._refuse("EntryNotFound")
            return
        recursive = query.get("recursive", ["false"])[0].lower() in ("true", "1")
        self._send_json(self._list_entries(repository, names, prefix, recursive))

    def _list_entries(
        self, repository: str, names: list[str], prefix: str, recursive: bool
    ) -> list[dict[str, Any]]:
        entries, folders = [], set()
        for name in names:
            inner = name.removeprefix(prefix).split("/")
            folders |= {
                prefix + "/".join(inner[:depth])
                for depth in range(1, len(inner) if recursive else min(2, len(inner)))
            }
            if recursive or len(inner) == 1:
                entries.append(self._describe_file(repository, name))
        directories = [
            {"type": "directory", "oid": _oid(path.encode()), "path": path}
            for path in sorted(folders)
        ]
        return directories + entries

    def _describe_file(self, repository: str, name: str) -> dict[str, Any]:
        data = (self.hub.folder / repository / name).read_bytes()
        return {"type": "file", "oid": _oid(data), "size": len(data), "path": name}

    def _find_paths(self, repository: str, body: bytes) -> list[dict[str, Any]]:
        asked = json.loads(body) if body.startswith(b"{") else parse_qs(body.decode())
        names = self.hub.list_files(repository)
        return [self._describe_file(repository, n) for n in asked.get("paths", []) if n in names]

    def _answer_file(self, repository: str, revision: str, name: str) -> None:
        if not self.hub.list_files(repository):
            self._refuse("RepoNotFound")
        elif file := self.hub.find_file(f"{repository}/{name}"):
            commit = self.hub.commit(repository, revision)
            etag = f'"{_oid(file.read_bytes())}"'
            self._send_file(file, {"ETag": etag, "X-Repo-Commit": commit})
        else:
            self._refuse("EntryNotFound", {"X-Repo-Commit": self.hub.commit(repository, revision)})

    def _send_file(self, file: Path, headers: dict[str, str]) -> None:
        """The file or the rest of it that was asked for, unless a fault is due."""
        data, status = file.read_bytes(), 200
        if match := _RANGE.fullmatch(self.headers.get("Range", "")):
            headers |= {"Content-Range": f"bytes {match[1]}-{len(data) - 1}/{len(data)}"}
            data, status = data[int(match[1]) :], 206
        fault = "" if self.command == "HEAD" else self.hub.next_fault(file)
        if fault == "stall":
            time.sleep(STALL_SECONDS)
        sent = data[: len(data) // 2] if fault == "cut" else data
        # A client that has lost patience with a stalled answer is gone by now.
        with contextlib.suppress(ConnectionError):
            self._send(status, sent, headers, length=len(data))
        self.close_connection |= bool(fault)

    def _send_json(self, content: object) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _refuse(self, code: str, headers: dict[str, str] | None = None) -> None:
        message = json.dumps({"error": code}).encode()
        self._send(404, message, {"X-Error-Code": code, "X-Error-Message": code, **(headers or {})})

    def _send(
        self, status: int, data: bytes, headers: dict[str, str], length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _oid(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()
