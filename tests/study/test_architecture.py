"""Every parameter of the four families is located, wrapped or not, and peft gets what it needs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, PrefixTuningConfig, get_peft_model

import tiny
from study import architecture
from study.architecture import Location, canonical_name, layer_order, locate, sort_layers
from study.errors import StudyError

CASES = [(family, task) for family in tiny.FAMILIES for task in tiny.TASKS]


@pytest.mark.parametrize(("family", "task"), CASES)
def test_every_parameter_of_a_family_has_a_place(family, task):
    names = [name for name, _ in tiny.build_model(family, task, 3, layers=3).named_parameters()]
    places = [locate(name) for name in names]
    assert len(names) > 50
    assert all(place.layer != "other" and place.kind in architecture.KINDS for place in places)
    assert "other" not in {place.kind for place in places}
    assert architecture.number_of_layers(names) == 3
    for layer in ("encoder.layer.0", "encoder.layer.2"):
        kinds = [place.kind for place in places if place.layer == layer]
        assert sorted(set(kinds)) == sorted([*architecture.MATRIX_KINDS, "layer_norm", "bias"])
        assert [kinds.count(kind) for kind in architecture.MATRIX_KINDS] == [1] * 6
        assert kinds.count("bias") == 6
        assert kinds.count("layer_norm") == 4


@pytest.mark.parametrize(("family", "task"), CASES)
def test_peft_wraps_without_changing_the_canonical_names(family, task):
    plain = [canonical_name(name) for name, _ in tiny.build_model(family, task).named_parameters()]
    config = LoraConfig(
        target_modules=architecture.lora_targets(family),
        modules_to_save=architecture.head_modules(family, task),
    )
    model = get_peft_model(tiny.build_model(family, task), config)
    adapters = [name for name, _ in model.named_parameters() if "lora_" in name]
    copies = [name for name, _ in model.named_parameters() if architecture.is_frozen_copy(name)]
    rest = [
        name for name, _ in model.named_parameters() if name not in adapters and name not in copies
    ]
    assert sorted(map(canonical_name, rest)) == sorted(plain)
    assert len(adapters) == 2 * 2 * 2  # A and B of two matrices in each of two layers
    assert {locate(name) for name in adapters} == {Location("other", "other")}
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert {name for name in trained if "lora_" not in name} == {
        name for name in rest if architecture.is_head(name)
    }
    assert len(copies) == sum(map(architecture.is_head, plain)) > 0


def test_prefix_tuning_leaves_the_names_readable():
    config = PrefixTuningConfig(num_virtual_tokens=2, task_type="SEQ_CLS")
    model = get_peft_model(tiny.build_model("bert", "sequence"), config)
    places = {name: locate(name) for name, _ in model.named_parameters()}
    other = [name for name, place in places.items() if place.layer == "other"]
    assert other == ["prompt_encoder.default.embedding.weight"]


@pytest.mark.parametrize(
    ("name", "layer", "kind"),
    [
        ("bert.embeddings.LayerNorm.gamma", "embeddings", "layer_norm"),
        ("embeddings.word_embeddings.weight", "embeddings", "word_embeddings"),
        ("electra.embeddings_project.weight", "embeddings", "embeddings_projection"),
        ("electra.embeddings_project.bias", "embeddings", "bias"),
        ("encoder.layer.11.output.dense.weight", "encoder.layer.11", "feed_forward_out"),
        ("encoder.layer.1.attention.output.dense.weight", "encoder.layer.1", "attention_output"),
        ("distilbert.transformer.layer.4.ffn.lin2.weight", "encoder.layer.4", "feed_forward_out"),
        ("distilbert.transformer.layer.4.sa_layer_norm.bias", "encoder.layer.4", "layer_norm"),
        ("pooler.dense.weight", "pooler", "pooler"),
        ("pre_classifier.weight", "classifier", "classifier"),
        ("classifier.out_proj.bias", "classifier", "bias"),
        ("cls.predictions.transform.dense.weight", "other", "other"),
        ("vocab_layer_norm.weight", "other", "other"),
        ("module.roberta.encoder.layer.0.attention.self.key.bias", "encoder.layer.0", "bias"),
    ],
)
def test_locate_by_name(name, layer, kind):
    assert locate(name) == Location(layer, kind)


def test_names_of_tensorflow_checkpoints_meet_those_of_models():
    old = "bert.encoder.layer.0.output.LayerNorm.gamma"
    assert canonical_name(old) == "encoder.layer.0.output.LayerNorm.weight"
    assert canonical_name(old.replace("gamma", "beta")) == "encoder.layer.0.output.LayerNorm.bias"


def test_components_of_twelve_layers_and_of_one():
    assert architecture.components(12) == {
        "embeddings": "embeddings",
        "first": "encoder.layer.0",
        "middle": "encoder.layer.6",
        "last": "encoder.layer.11",
        "classifier": "classifier",
    }
    assert architecture.components(1)["middle"] == "encoder.layer.0"
    with pytest.raises(StudyError, match="at least one layer, got 0"):
        architecture.components(0)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_lora_meets_exactly_the_matrices_asked_for(family):
    for roles in [("query", "value"), ("key",), ("feed_forward_in",), architecture.MATRIX_KINDS]:
        config = LoraConfig(target_modules=architecture.lora_targets(family, roles))
        model = get_peft_model(tiny.build_model(family, "sequence"), config)
        adapted = {
            locate(re.sub(r"\.lora_A\.default", "", name)).kind
            for name, _ in model.named_parameters()
            if "lora_A" in name
        }
        assert adapted == set(roles)


def test_targets_that_peft_cannot_tell_apart_are_refused():
    with pytest.raises(StudyError, match=r"attention_output .*compares the ends"):
        architecture.lora_targets("bert", ("feed_forward_out",))
    assert architecture.lora_targets("distilbert", ("feed_forward_out",)) == ["ffn.lin2"]


def test_unknown_types_roles_and_tasks_are_named():
    with pytest.raises(StudyError, match=r"'gpt2' is not supported\n.*bert, roberta, xlm-roberta"):
        architecture.lora_targets("gpt2")
    with pytest.raises(StudyError, match="got qurey"):
        architecture.lora_targets("bert", ("qurey",))
    with pytest.raises(StudyError, match="'sequence' or 'token', got 'pos'"):
        architecture.head_modules("bert", "pos")


@given(st.permutations([*layer_order(3), "other", "encoder.layer.10"]))
def test_layers_are_sorted_from_input_to_output(layers: list[str]) -> None:
    expected = [*layer_order(3)[:-2], "encoder.layer.10", "pooler", "other", "classifier"]
    assert sort_layers([*layers, *layers]) == expected
