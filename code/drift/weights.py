"""The weights of a model as named tensors, read one at a time and without changing the model.

Names are those of ``encoders.structure``, so that a bare encoder, a classifier and an
adapter on top of it can be laid side by side. What counts as a weight: parameters, each under its
own name. Buffers are not weights, nor are the parameters of an adapter, which are merged into the
matrices they adapt. Distances between models are in ``distances``.
"""

import copy
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from peft import PeftModel
from peft.tuners.lora import Linear as LoraLinear
from peft.tuners.lora import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper, ModulesToSaveWrapper
from torch import Tensor, nn

from encoders.structure import Place, Structure, find_structure, unwrap
from study.errors import StudyError


@dataclass(frozen=True, slots=True)
class Weight:
    """One parameter, not yet in memory.

    Attributes:
        shape: its shape.
        identity: equal for two names of one tensor (tied weights).
        load: returns it, detached and on the CPU, in its own dtype; not to be written to.
        place: where it stands; None for a tensor that was kept apart from its model.
        update: what LoRA adds to a matrix; None for any other parameter.
    """

    shape: tuple[int, ...]
    identity: Hashable
    load: Callable[[], Tensor]
    place: Place | None = None
    update: "LowRankUpdate | None" = None

    def pieces(self, size: int) -> Iterator[Tensor]:
        """The values in order, ``size`` at a time."""
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

    @property
    def place(self) -> Place:
        """Where it stands in the tuned model, else in the base model."""
        found = self.tuned.place or self.base.place
        assert found is not None, f"{self.name} was read from no model"
        return found


def read_weights(model: nn.Module) -> Weights:
    """The parameters of a model under their canonical names.

    Adapters are merged, one matrix at a time in a copy of the one module, exactly as peft's
    ``merge`` would; of modules trained beside them (``modules_to_save``) the trained copy is read.

    Raises:
        StudyError: for a prompt- or prefix-tuned model, whose change is not one of weights; for a
            module with an adapter that cannot be merged.
    """
    return _read_module(model, _Reading())


def adapted_parameters(model: nn.Module) -> set[str]:
    """Canonical names of the parameters that an adapter changes when it is merged.

    LoRA changes matrices; others (IA3) may change a bias too.
    """
    inner = unwrap(model)
    structure = find_structure(inner)
    return {
        structure.canonical(f"{name}.{own}")
        for name, module in inner.named_modules()
        if isinstance(module, BaseTunerLayer)
        for own, _ in module.get_base_layer().named_parameters()
        if own != "bias" or not isinstance(module, LoraLayer)
    }


def read_tensors(tensors: Mapping[str, Tensor]) -> Weights:
    """Tensors that were kept apart from their model under the names that all models share."""
    return {name: _held(tensor) for name, tensor in tensors.items()}


def read_pair(base_model: nn.Module, tuned_model: nn.Module) -> tuple[Weights, Weights]:
    """The parameters of an original and a tuned model.

    ``get_peft_model`` works in place: the model it was given carries the adapters afterwards. Where
    one of the two models is inside the other, the inner one is therefore read as it was before,
    without adapters and with the untrained copies of the saved modules.

    Raises:
        StudyError: as ``read_weights``.
    """
    return _read_beside(base_model, tuned_model), _read_beside(tuned_model, base_model)


def _read_beside(model: nn.Module, other: nn.Module) -> Weights:
    inside = model is not other and any(module is model for module in other.modules())
    return _read_module(model, _OriginalReading() if inside else _Reading())


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


def _collect(named: Iterable[tuple[str, Weight]], structure: Structure) -> Weights:
    weights: Weights = {}
    for name, weight in named:
        place = structure.place(name)
        canonical = place.name
        if canonical in weights:
            raise StudyError(
                f"two parameters of one model are both called {canonical} (the second: {name})",
                remedy="pass the encoder or the classifier itself rather than a model holding two",
            )
        weights[canonical] = replace(weight, place=place)
    return weights


def _held(tensor: Tensor) -> Weight:
    return Weight(tuple(tensor.shape), id(tensor), lambda: tensor.detach().cpu())


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
                remedy="call unmerge_adapter() first, or load the base model anew",
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
    inner = unwrap(model)
    structure = replace(find_structure(inner), adapted=frozenset())  # names are read without it
    return _collect(reading.read(inner), structure)


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
