"""Every parameter of every family has one place, read off the model; peft changes none."""

import copy

import pytest
import torch
from peft import LoraConfig, PrefixTuningConfig, get_peft_model
from torch import nn
from transformers import AutoModel, AutoModelForTokenClassification
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

import tiny
from encoders.structure import (
    Structure,
    find_places,
    find_structure,
    head_modules,
    linear_kinds,
    unwrap,
)
from study.errors import StudyError
from study.layers import number_of_layers
from synthetic_study import MATRIX_KINDS

CASES = [(family, task) for family in (*tiny.FAMILIES, *tiny.OTHERS) for task in tiny.TASKS]
KINDS = {  # of the matrices of a layer
    "distilbert": [
        *(f"attention.{name}_lin" for name in ("q", "k", "v", "out")),
        "ffn.lin1",
        "ffn.lin2",
    ],
    "deberta-v2": [
        *(f"attention.self.{name}_proj" for name in ("query", "key", "value")),
        *MATRIX_KINDS[3:],
    ],
    "modernbert": ["attn.Wqkv", "attn.Wo", "mlp.Wi", "mlp.Wo"],
    "mpnet": [*(f"attention.attn.{name}" for name in "qkvo"), *MATRIX_KINDS[4:]],
    "albert": [
        *(f"albert_layers.0.attention.{name}" for name in ("query", "key", "value", "dense")),
        "albert_layers.0.ffn",
        "albert_layers.0.ffn_output",
    ],
    "nomic_bert": [
        *(f"self_attn.{name}_proj" for name in "qkvo"),
        *(f"mlp.{name}_proj" for name in ("gate", "up", "down")),
    ],
}
OTHER = {  # what stands in no layer
    "deberta-v2": {
        "encoder.rel_embeddings.weight",
        "encoder.LayerNorm.weight",
        "encoder.LayerNorm.bias",
    },
    "modernbert": {"final_norm.weight"},
    "mpnet": {"encoder.relative_attention_bias.weight"},
    "albert": {
        "encoder.embedding_hidden_mapping_in.weight",
        "encoder.embedding_hidden_mapping_in.bias",
    },
    "roformer": {"encoder.embed_positions.weight"},
}


@pytest.mark.parametrize(("family", "task"), CASES)
def test_every_parameter_of_a_family_has_one_place(family: str, task: str) -> None:
    model = tiny.build_model(family, task, 3, layers=3)
    places = find_places(model)
    layers = 1 if family == "albert" else 3
    assert number_of_layers(place.layer for place in places.values()) == layers
    for number in range(layers):
        own = [p for p in places.values() if p.layer == f"encoder.layer.{number}"]
        matrices = [p.kind for p in own if p.kind not in ("bias", "layer_norm")]
        assert sorted(matrices) == sorted(KINDS.get(family, MATRIX_KINDS))
        assert "layer_norm" in {p.kind for p in own}
    assert {p.name for p in places.values() if p.layer == "other"} == OTHER.get(family, set())
    embeddings = {p.kind for p in places.values() if p.layer == "embeddings"}
    assert "layer_norm" in embeddings and {"word_embeddings", "tok_embeddings"} & embeddings
    prefix = f"{model.base_model_prefix}."
    head = {name for name, place in places.items() if place.layer == "classifier"}
    assert head == {name for name in places if not name.startswith(prefix)}
    saved = tuple(f"{module}." for module in head_modules(model))
    assert head == {name for name in places if name.startswith(saved)}
    table = model.base_model.get_input_embeddings().weight
    (name,) = (name for name, parameter in model.named_parameters() if parameter is table)
    assert places[name].layer == "embeddings"


@pytest.mark.parametrize("family", [*tiny.FAMILIES, *tiny.OTHERS])
def test_a_bare_encoder_has_the_names_of_its_classifier(family: str) -> None:
    model = tiny.build_model(family, "token")
    inside = {p for p in find_places(model).values() if p.layer != "classifier"}
    assert set(find_places(model.base_model).values()) == inside


@pytest.mark.parametrize(("family", "task"), CASES)
def test_peft_changes_no_place(family: str, task: str) -> None:
    plain = find_places(tiny.build_model(family, task))
    model = tiny.build_model(family, task)
    config = LoraConfig(target_modules="all-linear", modules_to_save=head_modules(model))
    wrapped = get_peft_model(model, config)
    places = find_places(wrapped)
    own = {name: p for name, p in places.items() if not (p.adapter or p.copy)}
    assert {p.name: (p.layer, p.kind) for p in own.values()} == {
        p.name: (p.layer, p.kind) for p in plain.values()
    }
    adapters = {name for name, place in places.items() if place.adapter}
    assert adapters == {name for name in places if "lora_" in name} != set()
    trained = {name for name, p in wrapped.named_parameters() if p.requires_grad}
    head = {name for name, place in own.items() if place.layer == "classifier"}
    assert trained == adapters | head
    assert len([p for p in places.values() if p.copy]) == len(head)
    kinds = {f"encoder.layer.0.{kind}" for kind in linear_kinds(tiny.build_model(family, task))}
    structure = find_structure(wrapped)
    adapted = {structure.canonical(module) for module in structure.adapted}
    assert kinds <= adapted


def test_a_prefix_belongs_to_no_layer() -> None:
    config = PrefixTuningConfig(num_virtual_tokens=2, task_type="SEQ_CLS")
    places = find_places(get_peft_model(tiny.build_model("bert", "sequence"), config))
    adapters = [name for name, place in places.items() if place.adapter]
    assert adapters == ["prompt_encoder.default.embedding.weight"]


def test_wrappers_change_no_name() -> None:
    model = tiny.build_model("roberta", "token")
    wrapped = nn.DataParallel(copy.deepcopy(model))
    assert set(find_places(wrapped).values()) == set(find_places(model).values())
    assert type(unwrap(wrapped)) is type(model)


def test_a_model_of_parallel_lists_is_refused() -> None:
    config = CONFIG_MAPPING["xlm"](vocab_size=50, emb_dim=16, n_layers=2, n_heads=2)
    model = AutoModelForTokenClassification.from_config(config)
    with pytest.raises(StudyError, match=r"XLMModel has 4 lists of 2 modules \(attentions, "):
        find_structure(model)


def test_two_parameters_of_one_place_are_refused() -> None:
    class Two(nn.Module):
        base_model_prefix = "encoder"

        def __init__(self) -> None:
            super().__init__()
            with torch.device("meta"):
                self.encoder = AutoModel.from_config(tiny.build_config("bert"))
                self.pooler = nn.Module()
                self.pooler.dense = nn.Linear(2, 2)

    with pytest.raises(StudyError, match=r"pooler\.dense\.weight.* two parameters"):
        find_places(Two())


@pytest.mark.parametrize(
    ("name", "layer", "kind"),
    [
        ("bert.embeddings.word_embeddings.weight", "embeddings", "word_embeddings"),
        ("bert.embeddings.LayerNorm.bias", "embeddings", "layer_norm"),
        ("bert.encoder.layer.1.output.dense.weight", "encoder.layer.1", "output.dense"),
        ("bert.encoder.layer.1.output.dense.bias", "encoder.layer.1", "bias"),
        ("bert.encoder.layer.11.output.dense.weight", "encoder.layer.11", "output.dense"),
        ("bert.pooler.dense.weight", "pooler", "pooler"),
        ("bert.pooler.dense.bias", "pooler", "bias"),
        ("classifier.weight", "classifier", "classifier"),
    ],
)
def test_a_place_is_told_by_the_name(name: str, layer: str, kind: str) -> None:
    structure: Structure = find_structure(tiny.build_model("bert", "sequence"))
    place = structure.place(name)
    assert (place.layer, place.kind) == (layer, kind)
