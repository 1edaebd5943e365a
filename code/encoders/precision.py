"""The kind of device and the number format of a training, resolved before its key is made.

Results of a CPU and of a GPU, or of two formats, are different results: they are never pooled, so
both are part of the key.
"""

import torch

from study.errors import StudyError

CPU, GPU = "cpu", "gpu"
Machine = tuple[str, str]  # kind of device, and what ``auto`` is there
MACHINES: tuple[Machine, ...] = ((CPU, "float32"), (GPU, "bfloat16"), (GPU, "float16"))


def device_kind() -> str:
    """``gpu`` or ``cpu``: what ``choose_device`` chooses."""
    return GPU if torch.cuda.is_available() else CPU


def resolve_precision(wanted: str) -> str:
    """The format of a training's matrix products on this machine.

    ``auto`` is bfloat16 where the GPU computes in it, float16 with loss scaling on an older GPU
    (Micikevicius et al. 2018), float32 on a CPU. Weights are float32 in each case.

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
            remedy='set precision = "auto" (or "float32"): a CPU trains in float32',
        )
    raise StudyError(
        "precision = 'bfloat16' needs a GPU that computes in it (Ampere or newer)",
        remedy='set precision = "auto" (float16 with loss scaling here) or "float32"',
    )


def this_machine() -> Machine:
    """The kind of this machine."""
    if device_kind() == CPU:
        return CPU, "float32"
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return GPU, "bfloat16" if native else "float16"


def machines() -> list[Machine]:
    """Every kind of machine, this one first."""
    own = this_machine()
    return sorted(MACHINES, key=lambda machine: machine != own)


def precision_on(machine: Machine, wanted: str) -> str | None:
    """What ``resolve_precision`` gives on a machine; None where it refuses."""
    device, automatic = machine
    if wanted == "auto":
        return automatic
    cannot = ("bfloat16", "float16") if device == CPU else ("bfloat16",)
    return None if automatic != "bfloat16" and wanted in cannot else wanted
