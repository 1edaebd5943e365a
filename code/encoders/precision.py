"""The kind of device and the number format of a training, resolved before its key is made.

Results of a CPU and of a GPU, or of two formats, are different results: they are never pooled, so
both are part of the key.
"""

from functools import lru_cache
from pathlib import Path

import torch

from study.errors import StudyError

CPU, GPU = "cpu", "gpu"
Machine = tuple[str, str]  # kind of device, and what ``auto`` is there
MACHINES: tuple[Machine, ...] = (
    (CPU, "float32"),
    (CPU, "bfloat16"),
    (GPU, "bfloat16"),
    (GPU, "float16"),
)
#: Linux's name of a processor's matrix units for bfloat16. AVX512-BF16 alone does not pay (LOG.md).
MATRIX_UNITS = "amx_bf16"
CPU_INFO = Path("/proc/cpuinfo")


def device_kind() -> str:
    """``gpu`` or ``cpu``: what ``choose_device`` chooses."""
    return GPU if torch.cuda.is_available() else CPU


def resolve_precision(wanted: str) -> str:
    """The format of a training's matrix products on this machine.

    ``auto`` is bfloat16 where the GPU computes in it or the CPU has matrix units for it, float16
    with loss scaling on an older GPU (Micikevicius et al. 2018), float32 on any other CPU. Weights,
    their gradients and AdamW's moments are float32 in each case. A CPU without matrix units
    computes in bfloat16 too, slowly, where the settings ask for it.

    Args:
        wanted: ``auto``, ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        StudyError: this machine cannot compute in the wanted format.
    """
    resolved = precision_on(this_machine(), wanted)
    if resolved is not None:
        return resolved
    if device_kind() == CPU:
        raise StudyError(
            f"precision = {wanted!r} needs a GPU, and there is none here",
            remedy='set precision = "auto" (or "float32", "bfloat16"): a CPU trains in these',
        )
    raise StudyError(
        "precision = 'bfloat16' needs a GPU that computes in it (Ampere or newer)",
        remedy='set precision = "auto" (float16 with loss scaling here) or "float32"',
    )


def this_machine() -> Machine:
    """The kind of this machine, by what it is and never by how fast it is at the moment."""
    if device_kind() == CPU:
        return CPU, "bfloat16" if MATRIX_UNITS in cpu_flags() else "float32"
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return GPU, "bfloat16" if native else "float16"


@lru_cache(maxsize=1)
def cpu_flags() -> frozenset[str]:
    """What the processor says it can do, in Linux's words (proc(5)); nothing elsewhere."""
    lines = CPU_INFO.read_text(encoding="utf-8").splitlines() if CPU_INFO.exists() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())


def machines() -> list[Machine]:
    """Every kind of machine, this one first."""
    own = this_machine()
    return sorted(MACHINES, key=lambda machine: machine != own)


def precision_on(machine: Machine, wanted: str) -> str | None:
    """What ``resolve_precision`` gives on a machine; None where it refuses."""
    device, automatic = machine
    if wanted == "auto":
        return automatic
    if device == CPU:
        return None if wanted == "float16" else wanted
    return None if automatic == "float16" and wanted == "bfloat16" else wanted
