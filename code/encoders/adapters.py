"""Adapters by peft's own configurations: peft gets what is written in ``experiments.toml``."""

import dataclasses
import difflib
import inspect
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from encoders.structure import find_structure, linear_kinds
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
    model_type, kinds = str(model.config.model_type), linear_kinds(model)  # type: ignore[union-attr]
    start = adapter.options.get("init_lora_weights", True)
    before = {} if start in _BASE_KEPT else _copies(model)
    try:
        wrapped: Any = get_peft_model(model, configuration)  # type: ignore[arg-type]
    except (ValueError, TypeError, RuntimeError, AttributeError, KeyError) as error:
        raise _refusal(model_type, adapter, kinds, error) from error
    if not adapter.mergeable:  # peft's prompt learning trains the classifier alone beside itself
        for name, parameter in wrapped.named_parameters():
            if any(name.startswith(f"base_model.{module}.") for module in head):
                parameter.requires_grad_(".original_module." not in name)
    wrapped.altered_base = frozenset(
        name for name, parameter in _wrapped_weights(wrapped) if not _same(before, name, parameter)
    )
    return wrapped


def check_adapter(
    skeleton: nn.Module, adapter: AdapterSettings, kind: str, head: Sequence[str]
) -> None:
    """Builds the adapter on a model without weights, before anything trains.

    Raises:
        StudyError: peft cannot put it there, a name of ``target_modules`` is no module of the
            encoder, or the adapter is neither a prefix nor a change of weights.
    """
    kinds = linear_kinds(skeleton)
    if adapter.mergeable:
        build_configuration(adapter, kind, head)
        # A start computed from the weights (PiSSA) needs their values; the modules are the same.
        options = {k: v for k, v in adapter.options.items() if k != "init_lora_weights"}
        wrapped = add_adapter(
            skeleton, AdapterSettings.of(adapter.peft_type, **options), kind, head
        )
        found = find_structure(wrapped).adapted
        targets = adapter.options.get("target_modules")
        for target in targets if isinstance(targets, list) else ():
            if not any(f".{module}".endswith(f".{target}") for module in found):
                raise _unknown_target(str(skeleton.config.model_type), target, kinds)  # type: ignore[union-attr]
        layers: list[Any] = [m for m in wrapped.modules() if hasattr(m, "get_base_layer")]
        if not layers or not all(hasattr(layer, "merge") for layer in layers):
            raise StudyError(
                f"{adapter.peft_type} is no change of weights that could be merged and measured",
                remedy="choose LORA, IA3, VERA or another adapter that peft can merge, or "
                "PREFIX_TUNING",
            )
        return
    encoder: Any = skeleton.base_model
    takes = inspect.signature(encoder.forward).parameters
    if adapter.peft_type == "PREFIX_TUNING" and "past_key_values" not in takes:
        raise StudyError(
            f"peft cannot put PREFIX_TUNING on an encoder of the type "
            f"{encoder.config.model_type}: {type(encoder).__name__} takes no keys and values from "
            "before a sentence (past_key_values)",
            remedy="leave the prefix method out of methods_run for this model",
        )
    add_adapter(skeleton, adapter, kind, head)


def _refusal(
    model_type: str, adapter: AdapterSettings, kinds: list[str], error: Exception
) -> StudyError:
    """Why peft cannot put an adapter on a model, and what could be written instead."""
    said = str(error).strip().split("\n")[0] or type(error).__name__
    if "arget_modules" in said or "arget modules" in said:
        return _unknown_target(model_type, adapter.options.get("target_modules"), kinds)
    return StudyError(
        f"peft cannot put {adapter.peft_type} on an encoder of the type {model_type}: {said}",
        remedy="leave the method out of methods_run for this model, or choose other options; the "
        f"linear maps of its encoder are {', '.join(kinds)}",
    )


def _unknown_target(model_type: str, target: Any, kinds: list[str]) -> StudyError:
    """A sentence on what the matrices of this encoder are called."""
    said = (
        f"target_modules has {target!r}, which no matrix of an encoder of the type {model_type} "
        "is called"
        if target
        else f"peft has no default target_modules for encoders of the type {model_type}"
    )
    fused = [kind for kind in kinds if "qkv" in kind.lower()]
    beside = (
        f"; {fused[0]} is query, key and value in one matrix, which are adapted together"
        if fused
        else ""
    )
    return StudyError(
        said,
        remedy=f"write target_modules (and feedforward_modules for IA3) as some of "
        f'{", ".join(kinds)}, as a regular expression, or as "all-linear"{beside}',
    )


def is_adapter(parameter: str) -> bool:
    """Whether a checkpoint's parameter is an adapter's, which is not merged into its matrix."""
    from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING

    starts = {start for start in PEFT_TYPE_TO_PREFIX_MAPPING.values() if start.endswith("_")}
    parts = parameter.split(".")
    return "base_layer" in parts or any(part.startswith(tuple(starts)) for part in parts)


def name_without_adapter(name: str) -> str:
    """What a parameter of a model with an adapter is called in the model without it."""
    return name.removeprefix("base_model.model.").replace(".base_layer.", ".")


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
    own = name_without_adapter(name)
    return own not in before or parameter.is_meta or torch.equal(before[own], parameter)
