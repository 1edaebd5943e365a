"""Any trained model as named tensors, read one at a time and without changing the model.

A model may be an ``nn.Module``, a model wrapped by peft, the folder of a checkpoint (safetensors,
whole or sharded) or a plain mapping of names to tensors. All give a ``Weights`` whose names are
canonical (``architecture.canonical_name``), so that a bare encoder, a classifier and an adapter on
top of it can be laid side by side. Nothing is loaded until a tensor is asked for.

What counts as a weight: parameters, each under its own name. Buffers are not weights, nor are
integer tensors of a checkpoint (old ones carry ``position_ids``) or the parameters of an adapter,
which are merged into the matrices they adapt. Distances between models are in ``drift``.
"""

import copy
import json
import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.lora import Linear as LoraLinear
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper, ModulesToSaveWrapper
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from study.architecture import canonical_name
from study.errors import StudyError

Model = nn.Module | Path | str | Mapping[str, Tensor]
"""What the functions of ``drift`` and ``spectra`` accept as a model."""

_SINGLE_FILE = "model.safetensors"
_INDEX_FILE = "model.safetensors.index.json"
_ADAPTER_FILE = "adapter_config.json"
_FLOATING = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}


@dataclass(frozen=True, slots=True)
class Weight:
    """One parameter, not yet in memory.

    Attributes:
        shape: its shape.
        identity: equal for two names of one tensor (tied weights).
        load: returns it, detached and on the CPU, in its own dtype; not to be written to.
        stream: yields it flat and in order, in pieces of at most so many values, without ever
            holding the whole; None where the whole is in memory anyway.
        update: what LoRA adds to a matrix; None for any other parameter.
    """

    shape: tuple[int, ...]
    identity: Hashable
    load: Callable[[], Tensor]
    stream: Callable[[int], Iterator[Tensor]] | None = None
    update: "LowRankUpdate | None" = None

    def pieces(self, size: int) -> Iterator[Tensor]:
        """The values in order, ``size`` at a time; a piece is valid until the next is asked for."""
        if self.stream is not None:
            return self.stream(size)
        return iter(self.load().reshape(-1).split(size))


@dataclass(frozen=True, slots=True)
class LowRankUpdate:
    """A matrix ``start + left @ right`` by its parts.

    Attributes:
        start: what is adapted (m, n).
        left, right: factors of the update, (m, r) with LoRA's scale in it and (r, n).
    """

    start: Tensor
    left: Tensor
    right: Tensor


Weights = dict[str, Weight]


@dataclass(frozen=True, slots=True)
class Pair:
    """A parameter that two models have in common."""

    name: str
    base: Weight
    tuned: Weight


def read_weights(model: Model) -> Weights:
    """The parameters of a model under their canonical names.

    Adapters are merged, one matrix at a time in a copy of the one module, exactly as peft's
    ``merge`` would; of modules trained beside them (``modules_to_save``) the trained copy is read.

    Raises:
        StudyError: for a prompt- or prefix-tuned model, whose change is not one of weights; for a
            folder without readable safetensors; for a module with an adapter that cannot be merged.
    """
    if isinstance(model, nn.Module):
        return _read_module(model, _Reading())
    if isinstance(model, Mapping):
        return _collect((name, _held(tensor)) for name, tensor in model.items())
    return _collect(_checkpoint_weights(Path(model)))


def read_pair(base_model: Model, tuned_model: Model) -> tuple[Weights, Weights]:
    """The parameters of an original and a tuned model.

    ``get_peft_model`` works in place: the model it was given carries the adapters afterwards. Where
    one of the two models is inside the other, the inner one is therefore read as it was before,
    without adapters and with the untrained copies of the saved modules.

    Raises:
        StudyError: as ``read_weights``.
    """
    return _read_beside(base_model, tuned_model), _read_beside(tuned_model, base_model)


def _read_beside(model: Model, other: Model) -> Weights:
    if isinstance(model, nn.Module) and isinstance(other, nn.Module) and model is not other:
        inside = any(module is model for module in other.modules())
        return _read_module(model, _OriginalReading() if inside else _Reading())
    return read_weights(model)


def pair_weights(base: Weights, tuned: Weights) -> list[Pair]:
    """The parameters that both models have, tied ones once, in the order of the tuned model.

    Parameters of one side only (a head on a bare encoder, a pretraining head) do not correspond to
    anything and are left out. Two names are one pair only if they are tied in both models.

    Raises:
        StudyError: if two parameters of one name differ in shape.
    """
    pairs, seen = [], set()
    for name, weight in tuned.items():
        if name not in base:
            continue
        pair = Pair(name, base[name], weight)
        _check_shapes(pair)
        identity = (pair.base.identity, pair.tuned.identity)
        if identity not in seen:
            seen.add(identity)
            pairs.append(pair)
    return pairs


def _check_shapes(pair: Pair) -> None:
    if pair.base.shape != pair.tuned.shape:
        raise StudyError(
            f"the parameter {pair.name} has the shape {pair.base.shape} in the base model and "
            f"{pair.tuned.shape} in the tuned one",
            remedy="compare models of one size, one vocabulary and one number of labels",
        )


def _collect(named: Iterator[tuple[str, Weight]]) -> Weights:
    weights: Weights = {}
    for name, weight in named:
        canonical = canonical_name(name)
        if canonical in weights:
            raise StudyError(
                f"two parameters of one model are both called {canonical} (the second: {name})",
                remedy="pass the encoder or the classifier itself rather than a model holding two",
            )
        weights[canonical] = weight
    return weights


def _held(tensor: Tensor) -> Weight:
    # By memory rather than by object: state_dict() wraps one tied tensor in two objects.
    identity = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride())
    return Weight(tuple(tensor.shape), identity, lambda: tensor.detach().cpu())


# --- modules ---


class _Reading:
    """Reads a module as it computes: adapters merged, trained copies of saved modules."""

    def read(self, module: nn.Module, prefix: str = "") -> Iterator[tuple[str, Weight]]:
        """The parameters of a module and of those inside it, without what peft adds."""
        if isinstance(module, BaseTunerLayer):
            for name, parameter in module.get_base_layer().named_parameters():
                yield prefix + name, self.adapted(module, name, parameter)
            return
        if isinstance(module, AuxiliaryTrainingWrapper):
            module = self.saved(_check_saved(module, prefix))
        for name, parameter in module.named_parameters(recurse=False, remove_duplicate=False):
            yield prefix + name, _held(parameter)
        for name, child in module._modules.items():
            if child is not None:
                yield from self.read(child, f"{prefix}{name}.")

    def saved(self, wrapper: ModulesToSaveWrapper) -> nn.Module:
        """The copy of a saved module that counts."""
        adapters = wrapper.active_adapters
        return wrapper.modules_to_save[adapters[0]] if adapters else wrapper.original_module

    def adapted(self, layer: BaseTunerLayer, name: str, parameter: Tensor) -> Weight:
        """The parameter ``name`` of the layer that the adapter wraps."""
        return Weight(
            tuple(parameter.shape),
            (id(parameter), id(layer)),  # no other name holds the merged matrix
            lambda: _merged(layer, name).cpu(),
            update=_low_rank_update(layer, name),
        )


class _OriginalReading(_Reading):
    """Reads a module as it was before peft wrapped it."""

    def saved(self, wrapper: ModulesToSaveWrapper) -> nn.Module:
        """The untrained copy."""
        return wrapper.original_module

    def adapted(self, layer: BaseTunerLayer, name: str, parameter: Tensor) -> Weight:
        """The parameter without its adapter."""
        if layer.merged:
            raise StudyError(
                f"the base model's {name} has its adapter merged into it",
                remedy="call unmerge_adapter() first, or pass the base checkpoint's folder",
            )
        return _held(parameter)


def _check_saved(wrapper: AuxiliaryTrainingWrapper, prefix: str) -> ModulesToSaveWrapper:
    if isinstance(wrapper, ModulesToSaveWrapper):
        return wrapper
    raise StudyError(
        f"{prefix.rstrip('.')} is wrapped by peft's {type(wrapper).__name__}, whose weights cannot "
        "be read as one matrix",
        remedy="train with modules_to_save instead, or merge the adapter before measuring",
    )


def _read_module(model: nn.Module, reading: _Reading) -> Weights:
    if isinstance(model, PeftModel) and model.active_peft_config.is_prompt_learning:
        raise StudyError(
            f"{model.active_peft_config.peft_type.value} adds vectors to the input of each layer "
            "and changes no weight, so that its weight drift is undefined",
            remedy="measure drift for full fine-tuning and for adapters that can be merged (LoRA)",
        )
    return _collect(reading.read(model))


def _low_rank_update(layer: BaseTunerLayer, name: str) -> LowRankUpdate | None:
    """The factors of one plain LoRA on a linear layer; None for anything else."""
    if not isinstance(layer, LoraLinear) or name != "weight" or layer.merged:
        return None
    active = [adapter for adapter in layer.active_adapters if adapter in layer.lora_A]
    if len(active) != 1 or active[0] in layer.lora_variant or layer.fan_in_fan_out:
        return None
    (adapter,) = active
    start, left, right = (
        module.get_parameter("weight").detach().cpu()
        for module in (layer.get_base_layer(), layer.lora_B[adapter], layer.lora_A[adapter])
    )
    return LowRankUpdate(start, left * layer.scaling[adapter], right)


@torch.no_grad()
def _merged(layer: BaseTunerLayer, parameter_name: str) -> Tensor:
    """The parameter with the active adapters merged, from a copy of this one module."""
    if not layer.merged:
        layer = copy.deepcopy(layer)
        try:
            layer.merge()
        except (AttributeError, NotImplementedError) as error:
            raise StudyError(
                f"an adapter of the kind {type(layer).__name__} cannot be merged: {error}",
                remedy="measure drift for adapters that can be merged (LoRA)",
            ) from error
    return layer.get_base_layer().get_parameter(parameter_name).detach()


# --- checkpoints ---


def _checkpoint_weights(path: Path) -> Iterator[tuple[str, Weight]]:
    for file in _checkpoint_files(path):
        try:
            entries = _float_entries(file)
        except (OSError, SafetensorError) as error:
            raise _unreadable(file, error) from error
        for name, entry in entries.items():
            load, stream = partial(_load, file, name), partial(_stream, file, entry)
            yield name, Weight(entry.shape, (file, name), load, stream)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a tensor lies in a safetensors file: ``start`` in bytes from its beginning."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    start: int


def _float_entries(file: Path) -> dict[str, _Entry]:
    """The floating-point tensors by name.

    The format (https://github.com/huggingface/safetensors#format): the length N of the header in 8
    bytes, N bytes of JSON, then the tensors, little-endian, at the header's offsets.
    """
    with safe_open(file, framework="pt") as opened:  # checks every length and offset of the header
        names = list(opened.keys())
    with file.open("rb") as raw:
        length = int.from_bytes(raw.read(8), "little")
        header = json.loads(raw.read(length))
    return {
        name: _Entry(
            shape=tuple(header[name]["shape"]),
            dtype=_FLOATING[header[name]["dtype"]],
            start=8 + length + header[name]["data_offsets"][0],
        )
        for name in names
        if header[name]["dtype"] in _FLOATING
    }


def _stream(file: Path, entry: _Entry, size: int) -> Iterator[Tensor]:
    # Read rather than mapped: a page that is mapped counts as this process's memory, and the first
    # touch of each costs more than copying it into a buffer that stays in the cache.
    count = math.prod(entry.shape)
    buffer = torch.empty(min(size, count), dtype=entry.dtype)
    window = buffer.view(torch.uint8).numpy()
    try:
        with file.open("rb", buffering=0) as raw:
            raw.seek(entry.start)
            for start in range(0, count, size):
                length = min(size, count - start)
                wanted = length * entry.dtype.itemsize
                if raw.readinto(window[:wanted].data) != wanted:
                    raise EOFError("it ends before its last tensor does")
                yield buffer[:length]
    except (OSError, EOFError) as error:
        raise _unreadable(file, error) from error


def _load(file: Path, name: str) -> Tensor:
    # Opened anew for each tensor: a file kept open stays mapped, and every page that was read would
    # count as this process's memory until the end.
    try:
        with safe_open(file, framework="pt") as opened:
            return opened.get_tensor(name)
    except (OSError, SafetensorError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> StudyError:
    return StudyError(
        f"expected a safetensors file, got one that cannot be read: {error}",
        where=str(file),
        remedy="download or save the checkpoint again",
    )


def _checkpoint_files(path: Path) -> list[Path]:
    if path.is_file() and path.suffix == ".safetensors":
        return [path]
    if not path.is_dir():
        raise StudyError(
            "expected the folder of a checkpoint, found none",
            where=str(path),
            remedy="give the folder that holds model.safetensors, or load the model and pass that",
        )
    if (path / _SINGLE_FILE).is_file():
        return [path / _SINGLE_FILE]
    if (path / _INDEX_FILE).is_file():
        return _shards(path / _INDEX_FILE)
    raise _no_safetensors(path)


def _shards(index: Path) -> list[Path]:
    try:
        files = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
        raise StudyError(
            f"expected the index of a sharded checkpoint, got something else: {error!r}",
            where=str(index),
            remedy="download or save the checkpoint again",
        ) from error
    missing = [name for name in files if not (index.parent / name).is_file()]
    if missing:
        raise StudyError(
            f"the index names files that are not there: {', '.join(missing)}",
            where=str(index),
            remedy="download the missing files of the checkpoint",
        )
    return [index.parent / name for name in files]


def _no_safetensors(path: Path) -> StudyError:
    if (path / _ADAPTER_FILE).is_file():
        return StudyError(
            "expected the weights of a whole model, found those of an adapter",
            where=str(path),
            remedy="load it with PeftModel.from_pretrained onto its base model and pass that",
        )
    return StudyError(
        f"expected {_SINGLE_FILE} or {_INDEX_FILE}, found neither",
        where=str(path),
        remedy="save the model with save_pretrained; pickled weights (.bin) are not read",
    )
