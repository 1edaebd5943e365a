"""Adapters by peft's own configurations: peft gets what is written in ``experiments.toml``."""

import dataclasses
import difflib
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from study.adapters import AdapterSettings
from study.errors import StudyError

if TYPE_CHECKING:
    from peft import PeftConfig, PeftModel

# transformers and peft take ten seconds to import: a render of stored results needs neither.
TASK_TYPES = {"sequence": "SEQ_CLS", "token": "TOKEN_CLS"}  # peft's
#: Starts of LoRA that leave the adapted matrices as they are.
_BASE_KEPT = (True, False, "gaussian", "orthogonal")
#: Starts that need gradients or activations of the training data, or quantised weights.
_NEED_DATA = ("eva", "corda", "loftq", "lora_ga")


def build_configuration(adapter: AdapterSettings, kind: str, head: Collection[str]) -> "PeftConfig":
    """The configuration of an adapter, a new one with lists of its own: peft changes them.

    Args:
        adapter: as written.
        kind: ``sequence`` or ``token``.
        head: modules that are trained beside the adapter.

    Raises:
        StudyError: peft has no such type or option, or refuses the options.
    """
    from peft import PeftType, PromptLearningConfig
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    types = {kind.value: cls for kind, cls in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
    if adapter.peft_type not in types:
        raise StudyError(
            f"peft has no adapter {adapter.peft_type!r}{_near(adapter.peft_type, types)}",
            remedy=f"choose from {', '.join(sorted(types))}",
        )
    chosen, options = types[PeftType(adapter.peft_type).value], adapter.options
    known = {field.name for field in dataclasses.fields(chosen)}
    for name in options:
        if name not in known:
            raise StudyError(
                f"{chosen.__name__} has no option {name!r}{_near(name, known)}",
                remedy="name options as peft's documentation does",
            )
    if (start := options.get("init_lora_weights")) and str(start).lower() in _NEED_DATA:
        raise StudyError(
            f"init_lora_weights = {start!r} looks at data or quantised weights before training",
            remedy='choose true, "gaussian", "orthogonal", "pissa" or "olora"',
        )
    if issubclass(chosen, PromptLearningConfig):
        saved: dict[str, Any] = {}  # peft's prompt learning trains the head by itself
    else:
        saved = {"modules_to_save": list(head)}
    try:
        return chosen(task_type=TASK_TYPES[kind], **options, **saved)
    except (TypeError, ValueError) as error:
        raise StudyError(f"peft refuses the adapter {adapter.peft_type}: {error}") from error


def add_adapter(
    model: nn.Module, adapter: AdapterSettings, kind: str, head: Sequence[str]
) -> "PeftModel":
    """The model with its adapter; weights of the encoder that peft changes on the way are marked.

    Args:
        model: a classifier; it is changed in place.
        adapter: as written.
        kind: ``sequence`` or ``token``.
        head: modules that are trained beside the adapter, by their full names.

    Raises:
        StudyError: peft cannot put this adapter on this model.
    """
    from peft import get_peft_model

    configuration = build_configuration(adapter, kind, head)
    start = adapter.options.get("init_lora_weights", True)
    before = {} if start in _BASE_KEPT else _copies(model)
    try:
        wrapped: Any = get_peft_model(model, configuration)  # type: ignore[arg-type]
    except (ValueError, TypeError, RuntimeError, AttributeError, KeyError) as error:
        raise refusal(model, adapter, error) from error
    wrapped.altered_base = frozenset(
        name for name, parameter in _wrapped_weights(wrapped) if not _same(before, name, parameter)
    )
    return wrapped


def refusal(model: nn.Module, adapter: AdapterSettings, error: Exception) -> StudyError:
    """Why peft cannot put an adapter on a model, and what could be written instead."""
    model_type = str(model.config.model_type)  # type: ignore[union-attr]
    said = str(error).strip().split("\n")[0] or type(error).__name__
    encoder = getattr(model, str(getattr(model, "base_model_prefix", "")), model)
    linear = {
        name.rpartition(".")[2]
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Linear)
    }
    return StudyError(
        f"peft cannot put {adapter.peft_type} on an encoder of the type {model_type}: {said}",
        remedy="leave the method out of methods_run for this model, or choose other options; the "
        f"linear modules of its encoder are {', '.join(sorted(linear))}",
    )


def _near(value: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(value, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _copies(model: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def _wrapped_weights(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in model.named_parameters():
        if ".base_layer." in name:
            yield name, parameter


def _same(before: dict[str, Tensor], name: str, parameter: Tensor) -> bool:
    own = name.removeprefix("base_model.model.").replace(".base_layer.", ".")
    return own not in before or torch.equal(before[own], parameter)
