"""Removes variables of the environment that would change results, and names them.

Settings of a study stand in ``experiments.toml`` and nowhere else. The libraries below read many
variables besides: a mixed precision or a compiler left over from ``accelerate config``, the rank of
a launcher or of MPI, the arithmetic of a CPU's or a GPU's kernels, the style of figures. Some are
read when a library is imported, so they are removed before anything else is imported. Variables
stay that only decide where files are, how many threads and which devices are used, or what is
logged.

``tests/study/test_environment.py`` collects the names from the installed sources and demands that
each is in a family below or on its reviewed list.
"""

import os
import re
import ssl
from collections.abc import MutableMapping
from pathlib import Path

from study.errors import StudyError

#: Beginnings of names, by what they belong to.
FAMILIES: dict[str, tuple[str, ...]] = {
    "launchers of distributed training": (
        *("ACCELERATE_", "FSDP_", "DEEPSPEED_", "MEGATRON_", "PARALLELISM_CONFIG_", "PET_"),
        *("TORCHELASTIC_", "TORCHCOMM_", "SM_", "SMDATAPARALLEL_", "GLOO_", "NCCL_", "CCL_"),
    ),
    "MPI": ("OMPI_", "PMI_", "PMIX_", "MPI_", "MV2_", "I_MPI_", "MPICH_"),
    "torch and its compilers": (
        *("TORCH_", "TORCHDYNAMO_", "TORCHINDUCTOR_", "TORCHEXPORT_", "PYTORCH_", "ATEN_", "PT2_"),
        *(
            "AOT_",
            "AOTI_",
            "AOTINDUCTOR_",
            "INDUCTOR_",
            "CUTLASS_",
            "CUTEDSL_",
            "TRITON_",
            "QUACK_",
        ),
        *("PT_HPU_", "PJRT_", "XLA_", "TPU_", "DCP_", "FX_", "HALIDE_", "LTC_"),
    ),
    "arithmetic of kernels": (
        *("ONEDNN_", "DNNL_", "MKLDNN_", "FBGEMM_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "NPY_"),
        *("NVIDIA_TF32_", "CUBLAS_", "CUBLASLT_", "CUDNN_", "FLASH_ATTENTION_", "HCCL_", "NPU_"),
    ),
    "transformers": ("TRANSFORMERS_", "USE_"),
    "matplotlib": ("MPL", "MATPLOTLIBRC", "QT_"),
}
#: Names that have no family.
NAMES = frozenset(
    {
        *("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "NODE_RANK", "FORK_LAUNCHED"),
        *("GROUP_RANK", "GROUP_WORLD_SIZE", "ROLE_RANK", "ROLE_WORLD_SIZE", "ROLE_NAME"),
        *("MASTER_ADDR", "MASTER_PORT", "TRAINING_JOB_ARN"),
        *("OMP_DYNAMIC", "OMP_THREAD_LIMIT", "OMP_MAX_ACTIVE_LEVELS", "OMP_NESTED"),
        *("TRUST_REMOTE_CODE", "HF_DATASETS_TRUST_REMOTE_CODE", "HF_SCRIPTS_VERSION"),
        *("ENABLE_PERSISTENT_TMA_MATMUL", "ENABLE_TMA_LOAD_FOR_TEMPLATE_EPILOGUE"),
        *("ENABLE_TEMPLATE_TMA_STORE", "TENSORIFY_PYTHON_SCALARS", "STRICT_DEFAULT"),
        *("FAKE_ALLOW_META", "UNSAFE_SKIP_FSDP_MODULE_GUARDS", "RPC_INIT_WITH_TCP"),
        *("NUMPY_EXPERIMENTAL_DTYPE_API", "NCCL_GRAPH_MIXING_SUPPORT"),
    }
)
#: Members of these families that stay: places, logging, threads, how memory is allocated.
KEPT = frozenset(
    {
        *("TRANSFORMERS_OFFLINE", "TRANSFORMERS_CACHE", "TRANSFORMERS_VERBOSITY"),
        *("TRANSFORMERS_NO_ADVISORY_WARNINGS", "TORCH_HOME", "TORCH_EXTENSIONS_DIR"),
        *("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF"),
        *("MKL_NUM_THREADS", "MKL_DOMAIN_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"),
        *("KMP_AFFINITY", "KMP_BLOCKTIME", "KMP_DUPLICATE_LIB_OK", "MPLCONFIGDIR"),
    }
)
_YES = ("1", "true", "yes", "on")
_NO = ("", "0", "false", "no", "off")
_BACKEND = "MPLBACKEND"  # figures are drawn into files: no window system is asked for
_FILES_ONLY = "agg"


def is_taken_away(name: str) -> bool:
    """Whether a variable of that name would change results and is removed."""
    if name in KEPT:
        return False
    return name in NAMES or name.startswith(tuple(p for of in FAMILIES.values() for p in of))


def take_away(environment: MutableMapping[str, str] | None = None) -> list[str]:
    """Removes the variables that would change results; returns, sorted, those that were set."""
    environment = os.environ if environment is None else environment
    drawn = environment.get(_BACKEND, "")
    own = drawn == _FILES_ONLY or "inline" in drawn  # set by us or by a notebook's kernel
    found = sorted(name for name in environment if is_taken_away(name))
    for name in found:
        del environment[name]
    environment[_BACKEND] = drawn if own else _FILES_ONLY
    return [name for name in found if name != _BACKEND or not own]


def is_yes(name: str) -> bool:
    """Whether a variable that switches something on says so; False where it is not set.

    Raises:
        StudyError: it says neither yes nor no.
    """
    value = os.environ.get(name, "").strip().lower()
    if value not in (*_YES, *_NO):
        raise StudyError(f"{name} is {os.environ[name]!r}, expected 1 or 0")
    return value in _YES


def thread_counts() -> dict[str, str]:
    """Variables that set numbers of threads; another number rounds sums differently."""
    return {n: v for n, v in sorted(os.environ.items()) if n.endswith("_NUM_THREADS")}


def network_faults() -> list[str]:
    """Values of variables that keep every client from reaching a server, as sentences."""
    faults = []
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        value = os.environ.get(name)
        if value and not Path(value).is_dir() and (fault := _certificate_fault(value)):
            faults.append(f"{name} names {value!r}, which {fault}")
    for name in ("HF_ENDPOINT", "UD_RAW_URL"):
        value = os.environ.get(name)
        if value and not re.match(r"https?://[^/]", value):
            faults.append(f"{name} is {value!r}, expected an address that begins with https://")
    for name in (n for n in os.environ if n.lower() in ("http_proxy", "https_proxy", "all_proxy")):
        value = os.environ[name]
        if value and not re.match(r"(https?|socks[45]h?a?)://[^/]", value):
            faults.append(f"{name} is {value!r}, expected an address that begins with http://")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        if os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE"):
            faults.append(f"{name} is set: nothing is fetched")
    return faults


def _certificate_fault(file: str) -> str:
    """Why a file of certificates cannot be used, "" where it can."""
    try:
        ssl.create_default_context(cafile=file)
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:  # an SSLError is one, too
        return f"holds no certificates ({error})"
    return ""
