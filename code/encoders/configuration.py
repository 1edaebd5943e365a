"""Configurations of classifiers, and skeletons of them: models without weights.

Of ``config.json`` the fields of the model's own class are taken, which decide what its weights
compute. What belongs to another use of the weights (labels, precision, attention kernels, label
types, chunking, adapters, fusions) is left out; what would make another model is refused.
"""

import dataclasses
import inspect
import math
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from study.errors import StudyError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

# transformers and peft take ten seconds to import: a render of stored results needs neither.
MODELS = {  # transformers' mappings from the class of a configuration
    "sequence": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING",
    "token": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING",
    "pretraining": "MODEL_FOR_MASKED_LM_MAPPING",
}
_DECODER = ("is_decoder", "is_encoder_decoder", "add_cross_attention")
#: Left at the default of the type: dropout before the head, and what of a sentence it reads.
_OF_HEADS = {"classifier_dropout", "classifier_pooling"}


def build_config(content: Any, num_labels: int, where: str) -> "PreTrainedConfig":
    """The configuration of a classifier, from what ``config.json`` says of its encoder.

    Args:
        content: of ``config.json``.
        num_labels: classes of the head.
        where: the checkpoint, for messages.

    Raises:
        StudyError: it asks for code of its own, describes no encoder or a quantised one, or
            transformers has no classifiers on its model type.
    """
    import transformers
    from transformers import PreTrainedConfig

    if not isinstance(content, dict):
        raise StudyError("config.json holds no table", where=where)
    refuse_own_code(content, "config.json", where)
    kind = _find_class(str(content.get("model_type")), where)
    _refuse_other_models(content, where)
    common = {field.name for field in dataclasses.fields(PreTrainedConfig)}
    model = getattr(transformers, MODELS["sequence"])[kind]
    own = {field.name for field in dataclasses.fields(kind)} - common | set(kind.attribute_map)
    # Models read some fields that no class declares (DeBERTa's share_att_key).
    code = inspect.getsource(sys.modules[model.__module__])
    own |= {name for name in set(content) - common if f'getattr(config, "{name}"' in code}
    taken = {name: value for name, value in content.items() if name in own - _OF_HEADS}
    for name, value in taken.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise StudyError(
                f"config.json says {name} = {value}, expected a finite number", where=where
            )
    return kind(
        **taken,
        num_labels=num_labels,
        problem_type="single_label_classification",
        attn_implementation="sdpa" if model._supports_sdpa else "eager",
    )


def build_skeleton(config: "PreTrainedConfig", kind: str) -> nn.Module:
    """A model without weights: its tensors have shapes and no values.

    Args:
        config: ``build_config``.
        kind: ``sequence``, ``token`` or ``pretraining`` (masked words).
    """
    import transformers

    with torch.device("meta"):
        return getattr(transformers, MODELS[kind])[type(config)](config)


def padding_of_positions(config: "PreTrainedConfig") -> int | None:
    """The id after which a model numbers its positions (RoBERTa: padding's); None: from 0."""
    longest = getattr(config, "max_position_embeddings", None)
    for name, module in build_skeleton(config, "sequence").named_modules():
        position = isinstance(module, nn.Embedding) and "position" in name.rpartition(".")[2]
        if position and module.num_embeddings == longest:
            return module.padding_idx
    return None


def refuse_own_code(content: Mapping[str, Any], file: str, where: str) -> None:
    """Refuses a checkpoint that asks for Python code beside its weights."""
    if content.get("auto_map"):
        raise StudyError(
            f"{file} asks for code of the checkpoint's own (auto_map: {content['auto_map']}), and "
            "code that comes with a checkpoint is never run",
            where=where,
            remedy="choose a checkpoint of a model type that transformers itself has",
        )


def _find_class(model_type: str, where: str) -> Any:
    """The configuration's class of a type that can be pretrained as an encoder, and classified."""
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    known = {name: CONFIG_MAPPING[name] for name in CONFIG_MAPPING if name == model_type}
    for kind in known.values():
        if all(kind in getattr(transformers, mapping) for mapping in MODELS.values()):
            return kind
    raise StudyError(
        f"the model type {model_type!r} is not supported: "
        + ("it is no encoder that transformers can " if known else "transformers cannot ")
        + "train on masked words, sentences and tokens",
        where=where,
        remedy="choose an encoder that AutoModelForMaskedLM, AutoModelForSequenceClassification "
        "and AutoModelForTokenClassification know, such as bert, deberta-v2 or modernbert",
    )


def _refuse_other_models(content: Mapping[str, Any], where: str) -> None:
    if said := [name for name in _DECODER if content.get(name)]:
        raise StudyError(
            f"config.json says {said[0]}: the weights are a decoder's, and this study trains "
            "encoders",
            where=where,
            remedy="choose a checkpoint of an encoder",
        )
    if content.get("quantization_config"):
        raise StudyError(
            "config.json holds a quantization_config: quantised weights cannot be trained in full",
            where=where,
            remedy="take the checkpoint that was quantised",
        )
    if (positions := content.get("position_embedding_type") or "absolute") != "absolute":
        raise StudyError(
            f"config.json says position_embedding_type = {positions!r}, got no model for it",
            where=where,
            remedy="choose a checkpoint with absolute positions",
        )
