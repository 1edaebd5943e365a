"""Where each parameter of a classifier stands, read off the model itself: no table of families.

The head is what lies outside ``base_model_prefix``. The encoder's layers are the elements of its
longest ``ModuleList`` (ALBERT's is of one layer, which is used many times). Of the rest, what is
registered before the layers is the embeddings, ``pooler`` is the pooler, and anything else (a final
normalisation, tables of relative positions) is ``other``. The kind of a matrix is the name of its
module within its layer. Names are the same for a bare encoder, a classifier on top of it, and
either of them inside a model of peft.
"""

import re
from collections import Counter
from dataclasses import dataclass

from torch import nn

from study.errors import StudyError
from study.layers import BIAS, EMBEDDINGS, HEAD, NORM, OTHER, POOLER

_PEFT = re.compile(r"\.(?:base_layer|original_module|modules_to_save\.[^.]+)(?=\.|$)")
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter stands.

    Attributes:
        name: the parameter's name in terms that all models share:
            ``encoder.layer.0.attention.self.query.weight``, ``classifier.bias``.
        layer: ``embeddings``, ``encoder.layer.N`` (N from 0), ``pooler``, ``classifier`` (the
            head) or ``other``.
        kind: the name of its module within the layer for a matrix (``attention.self.query``),
            ``classifier`` for one of the head; ``layer_norm`` for both parameters of a
            normalisation, ``bias`` for the bias of a linear map.
        adapter: whether it is an adapter's own, which belongs to no layer.
        copy: whether it is the untrained copy that peft keeps of a module of the head.
    """

    name: str
    layer: str
    kind: str
    adapter: bool = False
    copy: bool = False


@dataclass(frozen=True)
class Structure:
    """How a model is built (``find_structure``).

    Attributes:
        root: path of the classifier or encoder inside wrappers; empty if there are none.
        encoder: path of the encoder in it; empty for a bare encoder.
        layers: path of the list of layers in the encoder; empty where there is none.
        front: the encoder's children that are its embeddings.
        norms: modules of normalisations, by their names without wrappers.
        adapted: modules that an adapter wraps, by their names inside ``root``.
    """

    root: str
    encoder: str
    layers: str
    front: frozenset[str]
    norms: frozenset[str]
    adapted: frozenset[str]

    def place(self, parameter: str) -> Place:
        """Where the parameter of this name stands."""
        own = parameter
        if self.root:
            own = parameter.removeprefix(f"{self.root}.")
            if own == parameter:
                return Place(parameter, OTHER, OTHER, adapter=True)
        if self._is_adapters(own):
            return Place(own, OTHER, OTHER, adapter=True)
        name, clean = self.canonical(own), _PEFT.sub("", own)
        layer, inside = self._layer(clean, name)
        kind = self._kind(clean, layer, inside)
        return Place(name, layer, kind, copy=".original_module." in own)

    def canonical(self, name: str) -> str:
        """The name of a parameter, module or layer of this model in terms that all models share."""
        name = _PEFT.sub("", name.removeprefix(f"{self.root}.") if self.root else name)
        if self.encoder:
            name = name.removeprefix(f"{self.encoder}.")
        if self.layers and re.match(rf"{re.escape(self.layers)}(\.|$)", name):
            return f"encoder.layer{name[len(self.layers) :]}"
        return name

    def _is_adapters(self, own: str) -> bool:
        for module in self.adapted:
            rest = own.removeprefix(f"{module}.")
            if rest != own:
                return not rest.startswith("base_layer.")
        return False

    def _layer(self, clean: str, name: str) -> tuple[str, str]:
        """The layer of a parameter, and its name inside of it."""
        if self.encoder and not clean.startswith(f"{self.encoder}."):
            return HEAD, clean
        if numbered := _LAYER.fullmatch(name):
            return f"encoder.layer.{numbered[1]}", numbered[2]
        child, _, rest = name.partition(".")
        if child in self.front:
            return EMBEDDINGS, rest if "." in rest else name
        return (POOLER, rest) if child == "pooler" else (OTHER, name)

    def _kind(self, clean: str, layer: str, inside: str) -> str:
        module, _, parameter = inside.rpartition(".")
        if clean.rpartition(".")[0] in self.norms:
            return NORM
        if parameter == "bias":
            return BIAS
        if layer in (HEAD, POOLER):
            return layer
        return module if parameter == "weight" else inside


def unwrap(model: nn.Module) -> nn.Module:
    """The classifier or encoder inside peft's, a parallel or a compiled model."""
    while True:
        if hasattr(model, "get_base_model"):
            model = model.get_base_model()  # type: ignore[operator]
        elif inner := getattr(model, "_orig_mod", None) or getattr(model, "module", None):
            model = inner
        else:
            return model


def find_structure(model: nn.Module) -> Structure:
    """How a model is built.

    Raises:
        StudyError: several lists of modules could be its layers.
    """
    inner = unwrap(model)
    root = next((name for name, module in model.named_modules() if module is inner), "")
    prefix = getattr(inner, "base_model_prefix", "")
    encoder = getattr(inner, prefix, None) if prefix else None
    if not isinstance(encoder, nn.Module):
        prefix, encoder = "", inner
    layers = _find_layers(encoder)
    children = [name for name, _ in encoder.named_children()]
    front = children[: children.index(layers.partition(".")[0]) if layers else 1]
    norms = {
        _PEFT.sub("", name).removesuffix(".weight")
        for name, parameter in inner.named_parameters(remove_duplicate=False)
        if name.endswith(".weight") and parameter.ndim == 1
    }
    return Structure(
        root=root,
        encoder=prefix,
        layers=layers,
        front=frozenset(front) - {"pooler"},
        norms=frozenset(norms),
        adapted=frozenset(n for n, m in inner.named_modules() if hasattr(m, "get_base_layer")),
    )


def find_places(model: nn.Module) -> dict[str, Place]:
    """The place of every parameter by its name; each of the model's own stands in one.

    Raises:
        StudyError: as ``find_structure``; two parameters have one place.
    """
    structure = find_structure(model)
    places = {name: structure.place(name) for name, _ in model.named_parameters()}
    own = Counter(p.name for p in places.values() if not (p.adapter or p.copy))
    if twice := [name for name, count in own.items() if count > 1]:
        raise StudyError(
            f"{', '.join(twice[:3])} stands for two parameters of {type(unwrap(model)).__name__}",
            remedy="pass the encoder or the classifier itself rather than a model holding two",
        )
    return places


def head_modules(model: nn.Module) -> list[str]:
    """Names of the modules of the head: what stands beside the encoder and has parameters."""
    encoder = find_structure(model).encoder
    return [
        name
        for name, child in unwrap(model).named_children()
        if name != encoder and next(child.parameters(), None) is not None
    ]


def linear_kinds(model: nn.Module) -> list[str]:
    """Names, within a layer of the encoder, of the linear maps that an adapter can be put on."""
    structure, found = find_structure(model), dict[str, None]()
    for name, module in unwrap(model).named_modules():
        if isinstance(module, nn.Linear):
            place = structure.place(f"{name}.weight")
            if _LAYER.fullmatch(place.name):
                found[place.kind] = None
    return list(found)


def _find_layers(encoder: nn.Module) -> str:
    """Path of the longest list of modules; of nested ones the outer."""
    lists = dict[str, int]()
    for name, module in encoder.named_modules():
        nested = any(name.startswith(f"{other}.") for other in lists)
        holds = isinstance(module, nn.ModuleList) and any(True for _ in module.parameters())
        if holds and not nested:
            lists[name] = len(module)  # type: ignore[arg-type]
    longest = [name for name, length in lists.items() if length == max(lists.values())]
    if len(longest) > 1:
        raise StudyError(
            f"{type(encoder).__name__} has {len(longest)} lists of {lists[longest[0]]} modules "
            f"({', '.join(longest)}): what one layer of it is cannot be told",
            remedy="choose an encoder whose layers stand in one list",
        )
    return longest[0] if longest else ""
