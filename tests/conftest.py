"""Shared fixtures: one tiny study, trained once a session on a sample of the miniature corpora."""

import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import HealthCheck, settings
from transformers.utils import logging

from hub import hub_fixture  # noqa: F401 - the stand-in hub, as a fixture for all tests
from rendered import rendered_fixture  # noqa: F401 - both reports of the tiny study
from runs.completion import Grid
from store.entries import Store
from store.ledger import Ledger
from study.settings import Profile
from tiny_study import load_tiny_profile, write_tiny_inputs
from waiting import PATIENCE

# Sums are rounded in another order with another number of threads. Tests that compare runs of
# several processes bit for bit give all of them one, as Ray does with a task that asks for one CPU.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
logging.set_verbosity_error()
logging.disable_progress_bar()


def pytest_collection_finish() -> None:
    """Every training collects garbage: what the libraries have loaded need not be gone through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test shows is kept in a folder of the tests, not among the user's results."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@dataclass(frozen=True)
class FinishedStudy:
    """A study that has been run, and where everything of it lies."""

    folder: Path
    profile: Profile
    grid: Grid
    store: Store
    ledger: Ledger


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the tests share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "common"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def tiny_inputs(common: Path) -> Path:
    """A folder with ``data/`` and ``models/tiny/``, written by the first process that needs it."""
    folder = common / "inputs"
    with FileLock(common / "inputs.lock", PATIENCE):
        return folder if folder.exists() else write_tiny_inputs(folder)


@pytest.fixture
def tiny_environment(tiny_inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``DATA_DIR`` and ``MODEL_DIR`` point at the tiny inputs."""
    monkeypatch.setenv("DATA_DIR", str(tiny_inputs / "data"))
    monkeypatch.setenv("MODEL_DIR", str(tiny_inputs / "models"))
    return tiny_inputs


@pytest.fixture(scope="session")
def finished(tiny_inputs: Path, common: Path) -> Iterator[FinishedStudy]:
    """The tiny study, run to its end by one process; tests must not change its store."""
    folder = common / "finished"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(tiny_inputs / "data"))
        patch.setenv("MODEL_DIR", str(tiny_inputs / "models"))
        profile = load_tiny_profile()
        store = Store(folder / "cache")
        with FileLock(common / "finished.lock", PATIENCE):
            grid = Grid(profile, store)
            ledger = grid.complete()
        yield FinishedStudy(folder, profile, grid, store, ledger)
