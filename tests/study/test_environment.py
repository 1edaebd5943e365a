"""Nothing in the environment decides a result: names are collected from the installed sources."""

import functools
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import plots
from conftest import FinishedStudy
from encoders.models import choose_device
from plots import saving
from runs.completion import Grid
from store.entries import Store
from study import environment
from study.environment import KEPT, is_taken_away, is_yes, network_faults, take_away
from study.errors import StudyError
from study.paths import project_root
from synthetic_study import build_study
from tiny_study import PROFILE, load_tiny_profile
from words.wording import load_wording

ROOT = project_root()
PACKAGES = ("accelerate", "transformers", "torch", "matplotlib", "peft", "datasets", "evaluate")
READS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:environ(?:\.get|\.setdefault|\.pop)?\s*[\[(]|getenv\s*\()\s*f?[\"']([A-Za-z_]\w+)",
        r"[\"']([A-Z_][A-Z0-9_]+)[\"']\s+(?:not\s+)?in\s+os\.environ",
        r"(?:\w*_from_env|\w*env_(?:flag|var|name)\w*|is_env_set|env_is_true|env_name_\w+\s*=)"
        r"\s*\(?\s*((?:\[?\s*[\"'][A-Z_][A-Z0-9_]+[\"'],?\s*)+)",
    )
)
NOT_READ_HERE = re.compile(r"/(?:tests?|testing|_internal)/|testing_utils|test_utils|/test_")
# Read by the libraries' C++ and C, where no source is installed.
NATIVE = (
    *("ATEN_CPU_CAPABILITY", "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"),
    *("ONEDNN_MAX_CPU_ISA", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "MKL_DISABLE_FAST_MM"),
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG"),
    *("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "OMP_DYNAMIC", "OMP_THREAD_LIMIT"),
    *("TORCH_BLAS_PREFER_CUBLASLT", "FBGEMM_ENABLE_INSTRUCTIONS", "MKL_DYNAMIC"),
)
# Reviewed: what these decide is no result.
HARMLESS = {
    "where something lies: a home, caches, modules that were fetched": r"HF_HOME|HF_\w*CACHE"
    r"|HF_DATASETS_\w+_PATH|XDG_\w+|HOME|PATH|PYTHONPATH|LOCALAPPDATA|(?i:program\w*|system\w+)"
    r"|WINDIR|MPLCONFIGDIR|TORCH_EXTENSIONS_DIR|TENSORBOARD_LOGGING_DIR|CONDA_\w+|VIRTUAL_ENV"
    r"|HF_DATASETS_DOWNLOADED_\w+|HF_DATASETS_EXTRACTED_\w+|HF_EVALUATE_\w+",
    "how a file comes from the hub; its revision is pinned": r"HF_ENDPOINT|HF_\w*OFFLINE|HF_TOKEN"
    r"|HF_UPDATE_DOWNLOAD_COUNTS|HF_DATASETS_IN_MEMORY_MAX_SIZE|DISABLE_SAFETENSORS_CONVERSION"
    r"|HF_DEACTIVATE_ASYNC_LOAD|NETWORK_DEBUG_\w+|AWS_\w+",
    "what is logged and shown": r"\w*VERBOSITY|\w*LOG_LEVEL|LOGLEVEL|LOG_\w+|HF_DATASETS_\w*BARS"
    r"|TRANSFORMERS_NO_ADVISORY_WARNINGS|FR_TRACE_\w+|CI|BRANCH|DISPLAY|_MPLHIDEEXECUTABLES",
    "trackers of experiments and services: nothing is reported (report_to='none')": r"WANDB_\w+"
    r"|CLEARML_\w+|COMET_\w+|MLFLOW_\w+|SWANLAB_\w+|HF_(?:DAGSHUB|DVCLIVE|MLFLOW)_\w+|RAY_SCOPE"
    r"|KUBEFLOW_\w+|DISABLE_\w+_INTEGRATION|SAGEMAKER_JOB_NAME|DATABRICKS_\w+|ECS_\w+|VSCODE_PID",
    "which devices there are; how they are waited for": r"\w+_VISIBLE_DEVICES|ZE_\w+"
    r"|CUDA_(?:LAUNCH_BLOCKING|MODULE_LOADING|PROFILE)|ASCEND_LAUNCH_BLOCKING|NPROC",
    "threads: recorded with every result": r"OMP_NUM_THREADS|TOKENIZERS_PARALLELISM",
    "compilers and their tools: nothing is compiled here": r"CUDA_(?:HOME|PATH|INC_PATH)|CUDACXX|CC"
    r"|CXX|CPLUS_INCLUDE_PATH|ROCM_\w+|\w*CUDA_HOME|ONEAPI_ROOT|NVTOOLSEXT_PATH|MAX_JOBS|VC\w+|VS\w+"
    r"|DISTUTILS_USE_SDK|OMP_PREFIX|LEVEL_ZERO_V1_SDK_PATH|\w+SHMEM_LIB_DIR|PIP_\w+|TVM_SCHEDULER"
    r"|_SPLITTER_\w+|_TORCHINDUCTOR_\w+|DUMP_AOTI_MINIFIER|debug_extract_compiled_graph|IS_FBCODE"
    r"|PARTITIONER_MEMORY_\w+|JAX_PLATFORMS|PYTHON_EXEC|MAST_HPC_JOB_NAME",
    "profilers": r"COMPILE_STROBELIGHT_\w+|KINETO_\w+|ENABLE_PYTORCH_EXECUTION_TRACE\w*"
    r"|\w*CUPTI\w*|BENCHMARK_\w+",
    "what the loader of programs reads before any code of ours": r"LD_\w+|KMP_DUPLICATE_LIB_OK",
    "who the user is": r"USER|USERNAME",
    "a date, which our files do not hold": r"SOURCE_DATE_EPOCH",
    "examples in docstrings": r"FOO|NO",
}


@functools.cache
def names_read_by(package: str) -> frozenset[str]:
    """Names of variables in a package's Python sources, without its tests."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations
    found: set[str] = set()
    for root in spec.submodule_search_locations:
        for file in Path(root).rglob("*.py"):
            if NOT_READ_HERE.search(file.as_posix().removeprefix(str(root))):
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            for pattern in READS if "env" in text else ():
                for match in pattern.finditer(text):
                    found |= set(re.findall(r"\w+", match[1]))
    return frozenset(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_variable_is_taken_away_or_reviewed(package: str) -> None:
    names = names_read_by(package)
    assert names, "nothing was found: the test would be vacuous"
    harmless = re.compile("|".join(f"(?:{pattern})" for pattern in HARMLESS.values()))
    unknown = {n for n in names if not is_taken_away(n) and not harmless.fullmatch(n)}
    assert not unknown, "decide: study/environment.py takes them away, or the list above says why"


def test_the_names_that_people_reported_are_among_those_collected() -> None:
    assert {"ACCELERATE_MIXED_PRECISION", "OMPI_COMM_WORLD_SIZE"} <= names_read_by("accelerate")
    assert {"ACCELERATE_DYNAMO_BACKEND", "WORLD_SIZE"} <= names_read_by("transformers")
    assert {"TORCHDYNAMO_DISABLE", "MASTER_ADDR"} <= names_read_by("torch")
    assert {"MPLBACKEND", "MATPLOTLIBRC"} <= names_read_by("matplotlib")
    assert sum(len(names_read_by(package)) for package in PACKAGES) > 400


def test_native_variables_are_taken_away_and_places_stay() -> None:
    assert all(map(is_taken_away, NATIVE))
    given = dict.fromkeys((*NATIVE, *KEPT, "CACHE_DIR", "HF_HOME", "HOME", "SLURM_JOB_ID"), "1")
    assert take_away(given) == sorted(NATIVE)
    assert set(given) == {*KEPT, "CACHE_DIR", "HF_HOME", "HOME", "SLURM_JOB_ID", "MPLBACKEND"}


def test_a_kernels_own_backend_stays() -> None:
    given = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    assert take_away(given) == [] and "inline" in given["MPLBACKEND"]
    given = {"MPLBACKEND": "qtagg"}
    assert take_away(given) == ["MPLBACKEND"] and given["MPLBACKEND"] == "agg"


@pytest.mark.slow
def test_weights_are_the_same_with_every_variable_set(
    finished: FinishedStudy, tiny_environment: Path, tmp_path: Path
) -> None:
    """On the starting code, the first of these alone gave other weights under the same key."""
    (tmp_path / "tiny.toml").write_text(PROFILE, encoding="utf-8")
    names = {name for package in PACKAGES for name in names_read_by(package)} | set(NATIVE)
    wanted = {
        "ACCELERATE_MIXED_PRECISION": "bf16",
        "ACCELERATE_DYNAMO_BACKEND": "INDUCTOR",
        "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "3",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
        "MATPLOTLIBRC": str(tmp_path / "nowhere"),
        "WORLD_SIZE": "2",
    }
    places = {
        "CACHE_DIR": str(tmp_path / "cache"),
        "EXPERIMENTS_FILE": str(tmp_path / "tiny.toml"),
    }
    every = {**os.environ, **dict.fromkeys(filter(is_taken_away, names), "1"), **wanted, **places}
    done = subprocess.run(
        [sys.executable, "code/run.py", "--profile", "tiny", "--only", "cola-full-seed1"],
        cwd=ROOT, env=every, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "not heeded" in done.stderr and "ACCELERATE_MIXED_PRECISION" in done.stderr
    (run,) = [r for r, _, _ in finished.grid.states() if r.name == "cola-full-seed1"]
    own = next(entry for r, _, entry in finished.grid.states() if r == run)
    other = next(
        entry
        for r, _, entry in Grid(finished.profile, Store(tmp_path / "cache")).states()
        if r == run
    )
    assert own is not None and other is not None
    sums = [e.manifest()["files"]["trained.safetensors"]["sha256"] for e in (own, other)]
    assert sums[0] == sums[1]


def test_a_grid_takes_away_what_a_worker_finds(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    Grid(load_tiny_profile(), Store(tmp_path))
    assert "ACCELERATE_MIXED_PRECISION" not in os.environ


def test_figures_are_the_same_whatever_a_users_style_says(tmp_path: Path) -> None:
    def plot() -> Figure:
        return plots.plot_quality(build_study(), load_wording("en"))

    for name in ("plain", "styled"):
        (tmp_path / name).mkdir()
    saving.save("x", plot, tmp_path / "plain")
    odd = {"axes.grid": True, "xtick.direction": "in", "savefig.bbox": "tight", "grid.color": "r"}
    with plt.rc_context({**odd, "svg.fonttype": "none", "patch.edgecolor": "b"}):
        saving.save("x", plot, tmp_path / "styled")
    for file in ("x.svg", "x.png"):
        assert (tmp_path / "plain" / file).read_bytes() == (tmp_path / "styled" / file).read_bytes()


def test_threads_are_recorded_with_every_result(finished: FinishedStudy) -> None:
    for stages in finished.ledger.content["runs"].values():
        entry = finished.store.open(stages["train"])
        assert entry is not None
        assert entry.provenance()["threads"] == {"torch": 1, "OMP_NUM_THREADS": "1"}
    assert choose_device().type == "cpu"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SSL_CERT_FILE", "/nope.pem", "does not exist"),
        ("REQUESTS_CA_BUNDLE", __file__, "holds no certificates"),
        ("HF_ENDPOINT", "huggingface.co", "https://"),
        ("https_proxy", "proxy:8080", "http://"),
        ("HF_HUB_OFFLINE", "1", "nothing is fetched"),
    ],
)
def test_what_keeps_a_client_from_the_network_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    for name in list(os.environ):
        if re.search(r"proxy|offline|_CA_BUNDLE|SSL_CERT|HF_ENDPOINT|UD_RAW", name, re.IGNORECASE):
            monkeypatch.delenv(name)
    assert network_faults() == []
    monkeypatch.setenv(variable, value)
    (fault,) = network_faults()
    assert fault.startswith(variable) and said in fault


def test_families_have_no_beginning_in_vain() -> None:
    """Each beginning is one that some package reads, or that a launcher sets."""
    beginnings = [b for of_family in environment.FAMILIES.values() for b in of_family]
    assert len(beginnings) == len(set(beginnings)) and all(b.isupper() for b in beginnings)


@pytest.mark.parametrize(
    ("value", "means"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("", False)]
)
def test_a_variable_that_switches_says_yes_or_no(
    monkeypatch: pytest.MonkeyPatch, value: str, means: bool
) -> None:
    monkeypatch.setenv("FINISHED_ONLY", value)
    assert is_yes("FINISHED_ONLY") == means
    monkeypatch.setenv("FINISHED_ONLY", "perhaps")
    with pytest.raises(StudyError, match="FINISHED_ONLY is 'perhaps', expected 1 or 0"):
        is_yes("FINISHED_ONLY")
    monkeypatch.delenv("FINISHED_ONLY")
    assert not is_yes("FINISHED_ONLY")
