"""What the parameters of the supported encoders are called, and where each of them stands.

The only place that knows the names: BERT (``bert.encoder.layer.3.attention.self.query.weight``),
RoBERTa and XLM-R, DistilBERT (``distilbert.transformer.layer.3.attention.q_lin.weight``), ELECTRA.
All are mapped onto one set of layers and kinds, whether the name comes from a bare checkpoint, from
a task model or from a model wrapped by peft. Pure functions on strings: no torch, no transformers.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from study.errors import StudyError

EMBEDDINGS, POOLER, HEAD, OTHER = "embeddings", "pooler", "classifier", "other"

MATRIX_KINDS = (
    "query",
    "key",
    "value",
    "attention_output",
    "feed_forward_in",
    "feed_forward_out",
)
"""The six weight matrices of an encoder layer, in the order of the forward pass."""

KINDS = (
    "word_embeddings",
    "position_embeddings",
    "token_type_embeddings",
    "embeddings_projection",
    *MATRIX_KINDS,
    "layer_norm",
    "bias",
    "pooler",
    HEAD,
    "other",
)
"""Every kind of parameter, in the order in which tables and figures show them."""

_BERT_LIKE: Mapping[str, str] = {
    "query": "query",
    "key": "key",
    "value": "value",
    "attention_output": "attention.output.dense",
    "feed_forward_in": "intermediate.dense",
    "feed_forward_out": "output.dense",
}
_DISTILBERT: Mapping[str, str] = {
    "query": "q_lin",
    "key": "k_lin",
    "value": "v_lin",
    "attention_output": "out_lin",
    "feed_forward_in": "ffn.lin1",
    "feed_forward_out": "ffn.lin2",
}
_TARGETS: Mapping[str, Mapping[str, str]] = {
    "bert": _BERT_LIKE,
    "roberta": _BERT_LIKE,
    "xlm-roberta": _BERT_LIKE,
    "distilbert": _DISTILBERT,
    "electra": _BERT_LIKE,
}
SUPPORTED = tuple(_TARGETS)
"""The values of ``config.model_type`` that this project can train and measure."""

_RENAMED = (  # what wrappers and families write -> what stands for it here, in this order
    (re.compile(r"^(?:module\.|_orig_mod\.|base_model\.(?:model\.)?)+"), ""),
    (re.compile(r"\.(?:base_layer|original_module|modules_to_save\.[^.]+)(?=\.|$)"), ""),
    (re.compile(r"^(?:bert|roberta|distilbert|electra)\."), ""),
    (re.compile(r"^transformer(?=\.layer\b)"), "encoder"),
    (re.compile(r"(?<=LayerNorm\.)gamma$"), "weight"),
    (re.compile(r"(?<=LayerNorm\.)beta$"), "bias"),
)

# Parameters that a peft method adds; they belong to no layer of the encoder.
_ADAPTER = re.compile(r"(?:^|\.)(?:lora_|prompt_encoder|prefix_encoder|ia3_|vera_|hada_|lokr_)")
_LAYER = re.compile(r"^encoder\.layer\.(\d+)(?:\.|$)")
_HEAD = re.compile(r"^(?:classifier|pre_classifier|score|qa_outputs)(?:\.|$)")
_LAYER_NORM = re.compile(r"(?:LayerNorm|layer_norm)(?:\.|$)")
_INNER = (
    (re.compile(r"\.attention\.(?:self\.query|q_lin)\."), "query"),
    (re.compile(r"\.attention\.(?:self\.key|k_lin)\."), "key"),
    (re.compile(r"\.attention\.(?:self\.value|v_lin)\."), "value"),
    (re.compile(r"\.attention\.(?:output\.dense|out_lin)\."), "attention_output"),
    (re.compile(r"\.(?:intermediate\.dense|ffn\.lin1)\."), "feed_forward_in"),
    (re.compile(r"\d\.(?:output\.dense|ffn\.lin2)\."), "feed_forward_out"),
    (re.compile(r"^embeddings\.word_embeddings\."), "word_embeddings"),
    (re.compile(r"^embeddings\.position_embeddings\."), "position_embeddings"),
    (re.compile(r"^embeddings\.token_type_embeddings\."), "token_type_embeddings"),
    (re.compile(r"^embeddings_project\."), "embeddings_projection"),
    (re.compile(r"^pooler\."), "pooler"),
)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a parameter stands, in terms shared by all families.

    Attributes:
        layer: ``embeddings``, ``encoder.layer.N`` (N from 0), ``pooler``, ``classifier`` or
            ``other`` (pretraining heads, parameters of adapters).
        kind: one of ``KINDS``. The bias of a linear map is ``bias`` wherever it stands; weight and
            bias of a layer normalisation are both ``layer_norm``.
    """

    layer: str
    kind: str


def canonical_name(parameter_name: str) -> str:
    """The name without what wrappers and families add: ``encoder.layer.0.output.dense.weight``.

    Prefixes of peft, of ``DataParallel`` and of the family are dropped, DistilBERT's
    ``transformer.layer`` becomes ``encoder.layer``, and the ``gamma`` and ``beta`` of checkpoints
    converted from TensorFlow become ``weight`` and ``bias``. Works for names of modules too.
    """
    name = parameter_name
    for pattern, replacement in _RENAMED:
        name = pattern.sub(replacement, name)
    return name


def is_frozen_copy(parameter_name: str) -> bool:
    """Whether this is the untrained copy that peft keeps of a module in ``modules_to_save``."""
    return ".original_module." in parameter_name


def locate(parameter_name: str) -> Location:
    """The layer and kind of a parameter; ``Location("other", "other")`` for one that is neither."""
    name = canonical_name(parameter_name)
    layer = _layer(name)
    return Location(layer, OTHER if layer == OTHER else _kind(name, layer))


def _layer(name: str) -> str:
    if _ADAPTER.search(name):
        return OTHER
    if numbered := _LAYER.match(name):
        return f"encoder.layer.{numbered.group(1)}"
    if name.startswith(("embeddings.", "embeddings_project.")):
        return EMBEDDINGS
    if name.startswith("pooler."):
        return POOLER
    return HEAD if _HEAD.match(name) else OTHER


def _kind(name: str, layer: str) -> str:
    if _LAYER_NORM.search(name):
        return "layer_norm"
    if name.endswith(".bias"):
        return "bias"
    if layer == HEAD:
        return HEAD
    return next((kind for pattern, kind in _INNER if pattern.search(name)), OTHER)


def is_adapter(parameter_name: str) -> bool:
    """Whether the parameter belongs to an adapter that is not merged into its matrix."""
    return bool(_ADAPTER.search(parameter_name))


def is_head(parameter_name: str) -> bool:
    """Whether the parameter belongs to the classifier that is trained from scratch.

    BERT's pooler does not: its checkpoint holds pretrained weights, and peft leaves it frozen.
    """
    return locate(parameter_name).layer == HEAD


def number_of_layers(parameter_names: Iterable[str]) -> int:
    """The number of encoder layers among these parameters, 0 if there are none."""
    numbers = (layer_number(canonical_name(name)) for name in parameter_names)
    return max((number + 1 for number in numbers if number is not None), default=0)


def layer_number(layer: str) -> int | None:
    """N of the canonical layer ``encoder.layer.N``; None for any other layer."""
    numbered = _LAYER.match(layer)
    return int(numbered.group(1)) if numbered else None


def layer_order(layers: int) -> list[str]:
    """Every canonical layer from input to output, for an encoder of so many layers."""
    return [EMBEDDINGS, *(f"encoder.layer.{n}" for n in range(layers)), POOLER, HEAD]


def sort_layers(layers: Iterable[str]) -> list[str]:
    """The layers that occur, once each, from input to output; unknown ones before the head."""
    present = list(dict.fromkeys(layers))
    known = [layer for layer in layer_order(number_of_layers(present)) if layer in present]
    others = [layer for layer in present if layer not in known]
    return [x for x in known if x != HEAD] + others + [x for x in known if x == HEAD]


def components(layers: int) -> dict[str, str]:
    """The five components of the assignment and the canonical layer each stands for.

    The middle layer is number ``layers // 2`` counted from 0: ``encoder.layer.6``, the seventh, of
    twelve. In an encoder of one layer, first, middle and last are the same.

    Raises:
        StudyError: if there is no encoder layer.
    """
    if layers < 1:
        raise StudyError(
            f"expected an encoder of at least one layer, got {layers}",
            remedy=f"use a model of one of the types {', '.join(SUPPORTED)}",
        )
    return {
        "embeddings": EMBEDDINGS,
        "first": "encoder.layer.0",
        "middle": f"encoder.layer.{layers // 2}",
        "last": f"encoder.layer.{layers - 1}",
        HEAD: HEAD,
    }


def restorable_parts(layers: int) -> dict[str, list[str]]:
    """The parts of a model that are set back to their values before training, and their layers.

    The embeddings, the encoder's lower, middle and upper third (where it has so many layers), and
    the head; from input to output.
    """
    borders = [third * layers // 3 for third in range(4)]
    numbers = zip(("lower", "middle", "upper"), borders, borders[1:], strict=False)
    thirds = {
        name: [f"encoder.layer.{n}" for n in range(start, stop)] for name, start, stop in numbers
    }
    return {EMBEDDINGS: [EMBEDDINGS], **{k: v for k, v in thirds.items() if v}, HEAD: [HEAD]}


def check_supported(model_type: str) -> None:
    """Refuse a model type whose parameter names this project does not know.

    Raises:
        StudyError: naming the type and the supported ones.
    """
    if model_type not in _TARGETS:
        raise StudyError(
            f"the model type {model_type!r} is not supported",
            remedy=f"choose a model of one of these types: {', '.join(SUPPORTED)}",
        )


def lora_targets(model_type: str, roles: tuple[str, ...] = ("query", "value")) -> list[str]:
    """The ``target_modules`` of peft for these matrices, in the order of ``roles``.

    peft compares the ends of module names, so BERT's ``output.dense`` (feed-forward) would catch
    ``attention.output.dense`` as well; the one without the other is refused rather than widened.

    Args:
        model_type: ``config.model_type``.
        roles: some of ``MATRIX_KINDS``.

    Raises:
        StudyError: for an unsupported model type, an unknown role, or ``feed_forward_out`` without
            ``attention_output`` where peft cannot tell them apart.
    """
    check_supported(model_type)
    names = _TARGETS[model_type]
    unknown = [role for role in roles if role not in names]
    if unknown or not roles:
        raise StudyError(
            f"LoRA's targets are matrices of an encoder layer, got {', '.join(unknown) or 'none'}",
            remedy=f"choose from {', '.join(MATRIX_KINDS)}",
        )
    _refuse_overlap(model_type, roles, names)
    return [names[role] for role in roles]


def _refuse_overlap(model_type: str, roles: tuple[str, ...], names: Mapping[str, str]) -> None:
    for role in roles:
        for other in set(names) - set(roles):
            if names[other].endswith(f".{names[role]}"):
                raise StudyError(
                    f"in {model_type}, peft cannot adapt {role} ({names[role]}) without "
                    f"{other} ({names[other]}), because it compares the ends of names",
                    remedy=f"name both {role} and {other}, or neither",
                )


def head_modules(model_type: str, task: str) -> list[str]:
    """Names of the modules that are the head: peft's ``modules_to_save``.

    Args:
        model_type: ``config.model_type``.
        task: ``sequence`` or ``token`` classification.

    Raises:
        StudyError: for an unsupported model type or an unknown task.
    """
    check_supported(model_type)
    if task not in ("sequence", "token"):
        raise StudyError(
            f"expected the task 'sequence' or 'token', got {task!r}",
            remedy="use one of the two: CoLA is 'sequence', POS tagging is 'token'",
        )
    if model_type == "distilbert" and task == "sequence":
        return ["pre_classifier", "classifier"]
    return ["classifier"]
