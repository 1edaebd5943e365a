"""The kind of device and the number format of a training, resolved before its key is made.

Results of a CPU and of a GPU, or of two formats, are different results: they are never pooled, so
both are part of the key.
"""

import torch

from study.errors import StudyError

CPU, GPU = "cpu", "gpu"


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
    if device_kind() == CPU:
        if wanted in ("auto", "float32"):
            return "float32"
        raise StudyError(
            f"precision = {wanted!r} needs a GPU, and there is none here",
            remedy='set precision = "auto" (or "float32"): a CPU trains in float32',
        )
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    if wanted == "bfloat16" and not native:
        raise StudyError(
            "precision = 'bfloat16' needs a GPU that computes in it (Ampere or newer)",
            remedy='set precision = "auto" (float16 with loss scaling here) or "float32"',
        )
    return ("bfloat16" if native else "float16") if wanted == "auto" else wanted


def trainings_of(wanted: str) -> list[tuple[str, str]]:
    """Every (device kind, precision) that a setting can resolve to on some machine."""
    on_gpu = ("bfloat16", "float16") if wanted == "auto" else (wanted,)
    on_cpu = ("float32",) if wanted in ("auto", "float32") else ()
    return [*((CPU, precision) for precision in on_cpu), *((GPU, p) for p in on_gpu)]
