"""Distances between models: metric axioms, planted changes, adapters, bad input."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, PeftModel, PrefixTuningConfig, get_peft_model
from torch import nn
from transformers import AutoModel

import tiny
from drift import moments as sums
from drift import untrained, weights
from drift.distances import measure_drift, weight_distance
from drift.moments import CHUNK, Moments
from encoders.structure import Place, find_places, head_modules
from study.errors import StudyError
from study.layers import HEAD, layer_order

FAMILY = st.sampled_from(tiny.FAMILIES)
TASK = st.sampled_from(tiny.TASKS)
SEED = st.integers(0, 50)
PROPERTY = settings(max_examples=12)


def naive_distances(base: nn.Module, tuned: nn.Module) -> dict[str, float]:
    """Layer -> Euclidean distance, by plain Python sums over float64 values."""
    squares: dict[str, list[float]] = {}
    before, places = dict(base.named_parameters()), find_places(base)
    for name, after in tuned.named_parameters():
        b = before[name].detach().double().flatten().tolist()
        t = after.detach().double().flatten().tolist()
        squares.setdefault(places[name].layer, []).extend(
            (y - x) ** 2 for x, y in zip(b, t, strict=True)
        )
    return {layer: math.sqrt(math.fsum(values)) for layer, values in squares.items()}


def perturbed(model: nn.Module, seed: int, size: float = 0.01) -> nn.Module:
    model = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += size * torch.randn(parameter.shape, generator=generator)
    return model


def adapted(model: nn.Module, family: str, task: str = "sequence", **settings) -> PeftModel:
    """A peft model with random (not zero) LoRA matrices and a changed head, around ``model``."""
    config = LoraConfig(
        r=2,
        target_modules=tiny.QUERY_AND_VALUE[family],
        modules_to_save=head_modules(model),
        init_lora_weights=False,
        **settings,
    )
    wrapped = get_peft_model(model, config).eval()
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if "modules_to_save" in name:
                parameter += 0.1
    return wrapped


def parameter_state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


# --- the distance is a metric, and the right one ---


@PROPERTY
@given(family=FAMILY, task=TASK, seed=SEED)
def test_metric_axioms(family, task, seed):
    a, b, c = (tiny.build_model(family, task, 3, seed=seed + step) for step in range(3))
    ab, bc, ac = weight_distance(a, b), weight_distance(b, c), weight_distance(a, c)
    assert weight_distance(a, a) == weight_distance(a, copy.deepcopy(a)) == 0.0
    assert ab > 0
    assert weight_distance(b, a) == ab
    assert ac <= ab + bc


@PROPERTY
@given(family=FAMILY, task=TASK, seed=SEED, size=st.floats(1e-6, 10))
def test_agrees_with_a_naive_loop_in_float64(family, task, seed, size):
    base = tiny.build_model(family, task, 3, seed=seed)
    tuned = perturbed(base, seed, size)
    expected = naive_distances(base, tuned)
    assert weight_distance(base, tuned, list(expected)) == pytest.approx(expected, rel=1e-12)
    mean = sum(expected.values()) / len(expected)
    assert weight_distance(base, tuned) == pytest.approx(mean, rel=1e-12)


@PROPERTY
@given(family=FAMILY, task=TASK, seed=SEED, size=st.floats(0.01, 100), data=st.data())
def test_a_planted_change_is_found_in_its_layer_kind_and_size(family, task, seed, size, data):
    base = tiny.build_model(family, task, 3, seed=seed, layers=3)
    tuned = copy.deepcopy(base)
    name, parameter = data.draw(st.sampled_from(list(tuned.named_parameters())))
    with torch.no_grad():
        before = parameter.double().clone()
        parameter.view(-1)[-1] += size
    planted = float((parameter.detach().double() - before).norm())
    assert planted == pytest.approx(size, rel=1e-5)
    place = find_places(base)[name]
    rows = {(row["layer"], row["kind"]): row["l2"] for row in measure_drift(base, tuned)}
    assert len(rows) > 30
    moved = {key for key, l2 in rows.items() if l2 != 0}
    assert moved == {(place.layer, "all"), (place.layer, place.kind)}
    assert rows[place.layer, "all"] == pytest.approx(planted, rel=1e-12)
    assert weight_distance(base, tuned, [name]) == {name: pytest.approx(planted, rel=1e-12)}


@PROPERTY
@given(family=FAMILY, task=TASK, seed=SEED)
def test_rows_add_up_and_follow_their_definitions(family, task, seed):
    base = tiny.build_model(family, task, 3, seed=seed)
    tuned = perturbed(base, seed, 0.05)
    rows = measure_drift(base, tuned)
    wholes = {row["layer"]: row for row in rows if row["kind"] == "all"}
    assert sum(row["parameters"] for row in wholes.values()) == sum(
        parameter.numel() for parameter in base.parameters()
    )
    order = layer_order(2)
    assert list(wholes) == [layer for layer in order if layer in wholes]
    for layer, whole in wholes.items():
        parts = [row for row in rows if row["layer"] == layer and row["kind"] != "all"]
        assert math.fsum(row["l2"] ** 2 for row in parts) == pytest.approx(whole["l2"] ** 2)
        assert sum(row["parameters"] for row in parts) == whole["parameters"]
        b, t = (_flat(model, layer) for model in (base, tuned))
        assert whole["relative"] == pytest.approx(float((t - b).norm() / b.norm()))
        assert whole["rms"] == pytest.approx(float((t - b).square().mean().sqrt()))
        cosine = float(b @ t / (b.norm() * t.norm()))
        assert whole["angle"] == pytest.approx(math.acos(cosine), rel=1e-6)


def _flat(model: nn.Module, layer: str) -> torch.Tensor:
    places = find_places(model)
    chosen = [p for name, p in model.named_parameters() if places[name].layer == layer]
    return torch.cat([parameter.detach().double().flatten() for parameter in chosen])


# --- single tensors ---


def of_tensors(base: torch.Tensor, tuned: torch.Tensor) -> Moments:
    before, after = (weights.read_tensors({"weight": tensor}) for tensor in (base, tuned))
    return sums.measure_pairs(weights.pair_weights(before, after))


def moments(base, tuned):
    return of_tensors(torch.tensor(base), torch.tensor(tuned))


def test_a_textbook_triangle():
    m = moments([3.0, 0.0], [3.0, 4.0])
    assert (m.parameters, m.l2, m.relative) == (2, 4.0, pytest.approx(4 / 3))
    assert m.rms == pytest.approx(4 / math.sqrt(2))
    assert m.angle == pytest.approx(math.atan2(4, 3))


@pytest.mark.parametrize(
    ("base", "tuned", "angle"),
    [
        ([1.0, 1.0], [2.0, 2.0], 0.0),
        ([1.0, 0.0], [-2.0, 0.0], math.pi),
        ([1.0, 0.0], [0.0, 5.0], math.pi / 2),
        ([1.0, 0.0], [0.0, 0.0], None),
        ([0.0, 0.0], [1.0, 0.0], None),
        ([0.0, 0.0], [0.0, 0.0], None),
    ],
)
def test_angles_and_where_there_is_none(base, tuned, angle):
    expected = None if angle is None else pytest.approx(angle, abs=1e-7)
    assert moments(base, tuned).angle == expected


def test_a_tiny_angle_keeps_its_digits():
    base = torch.zeros(10, dtype=torch.float64)
    base[0] = 1
    tuned = base.clone()
    tuned[1] = 1e-9
    assert of_tensors(base, tuned).angle == pytest.approx(1e-9, rel=1e-9)


def test_relative_distance_of_what_starts_at_zero_is_undefined_not_infinite():
    assert moments([0.0], [1.0]).relative is None
    assert Moments().rms is None


@settings(max_examples=10)
@given(
    size=st.sampled_from([0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 7]),
    base_type=st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
    tuned_type=st.sampled_from([torch.bfloat16, torch.float32]),
)
def test_any_dtypes_and_sizes_are_summed_in_float64(size, base_type, tuned_type):
    generator = torch.Generator().manual_seed(size)
    base = torch.randn(size, generator=generator).to(base_type)
    tuned = torch.randn(size, generator=generator).to(tuned_type)
    m = of_tensors(base, tuned)
    change = tuned.double() - base.double()
    assert m.parameters == size
    assert m.change_square == pytest.approx(float(change.square().sum()), rel=1e-12)
    assert m.cross == pytest.approx(float((base.double() * change).sum()), rel=1e-9, abs=1e-9)


def test_the_number_of_threads_is_left_as_it_was():
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        of_tensors(torch.ones(3), torch.ones(3))
        with pytest.raises(StudyError, match="has the shape"):
            of_tensors(torch.ones(3), torch.ones(2))
        with pytest.raises(RuntimeError):
            sums._accumulate([torch.ones(3)], [torch.ones(2)], 3)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)


def test_a_transposed_tensor_is_read_in_its_own_order():
    base = torch.arange(6.0).reshape(2, 3)
    assert of_tensors(base.T, base.T.contiguous()).l2 == 0
    assert of_tensors(base.T.contiguous(), base.T + 1).l2 == pytest.approx(math.sqrt(6))


# --- names ---


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_layers_groups_and_parameters_by_any_of_their_names(family):
    base = tiny.build_model(family, "sequence")
    tuned = perturbed(base, 0)
    parameter = next(
        n for n, place in find_places(base).items() if place.kind.endswith(("query", "q_lin"))
    )
    names = ["encoder.layer.0", "embeddings", "head", "classifier", "encoder", parameter]
    found = weight_distance(base, tuned, names)
    assert list(found) == names
    naive = naive_distances(base, tuned)
    assert found["encoder.layer.0"] == pytest.approx(naive["encoder.layer.0"])
    assert found["embeddings"] == pytest.approx(naive["embeddings"])
    assert found["head"] == pytest.approx(naive["classifier"])
    both = math.hypot(naive["encoder.layer.0"], naive["encoder.layer.1"])
    assert found["encoder"] == pytest.approx(both)
    shared = find_places(base)[parameter].name
    assert found[parameter] == weight_distance(base, tuned, shared)[shared]
    assert 0 < found[parameter] < found["encoder.layer.0"]


def test_layer_one_is_not_layer_ten():
    base = tiny.build_model("bert", "token", layers=11)
    tuned = copy.deepcopy(base)
    with torch.no_grad():
        tuned.bert.encoder.layer[10].output.dense.weight += 1
    found = weight_distance(base, tuned, ["encoder.layer.1", "encoder.layer.10"])
    assert found["encoder.layer.1"] == 0
    assert found["encoder.layer.10"] > 0


def test_family_names_work_for_distilbert():
    base = tiny.build_model("distilbert", "sequence")
    tuned = perturbed(base, 0)
    names = ["distilbert.transformer.layer.1", "encoder.layer.1", "pre_classifier"]
    found = weight_distance(base, tuned, names)
    assert found[names[0]] == found[names[1]] > 0
    assert found["pre_classifier"] > 0


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("encoder.layer.7", r"did you mean .*encoder\.layer\.1"),
        ("embedings", "did you mean embeddings"),
        ("encoder.layer.0.atention.self.query", r"encoder\.layer\.0\.attention\.self\.query"),
        ("zzz", r"choose from embeddings, encoder\.layer\.0, .*, pooler, classifier"),
        ("", "choose from"),
    ],
)
def test_an_unknown_name_lists_near_ones(name, hint):
    model = tiny.build_model("bert", "sequence")
    with pytest.raises(StudyError, match=f"called '{name}'\n.*{hint}"):
        weight_distance(model, model, ["embeddings", name])


def test_no_names_asked_for_is_not_all_names():
    model = tiny.build_model("bert", "sequence")
    assert weight_distance(model, model, []) == {}


# --- what corresponds and what counts ---


def test_a_head_on_one_side_does_not_correspond(tmp_path):
    tuned = tiny.build_model("bert", "token", 3, vocab_size=len(tiny.build_tokenizer()))
    base = AutoModel.from_pretrained(tiny.save_checkpoint(tmp_path))
    rows = measure_drift(base, tuned)
    assert {row["layer"] for row in rows} == {"embeddings", "encoder.layer.0", "encoder.layer.1"}
    with pytest.raises(StudyError, match="'classifier' is in the tuned model only"):
        weight_distance(base, tuned, ["classifier"])
    with pytest.raises(StudyError, match="'pooler' is in the base model only"):
        weight_distance(base, tuned, ["pooler"])


def test_different_shapes_are_an_error():
    two, three = tiny.build_model("bert", "token", 2), tiny.build_model("bert", "token", 3)
    with pytest.raises(StudyError, match=r"classifier.weight has the shape \(2, 16\) .* \(3, 16\)"):
        weight_distance(two, three)


def test_models_with_nothing_in_common_are_an_error():
    with pytest.raises(StudyError, match="no parameter in common"):
        weight_distance(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2)))


def test_a_diverged_model_is_an_error():
    base = tiny.build_model("bert", "sequence")
    tuned = perturbed(base, 0)
    with torch.no_grad():
        tuned.classifier.bias[0] = math.nan
    with pytest.raises(StudyError, match=r"classifier\.bias holds values that are not finite"):
        weight_distance(base, tuned)


class Tied(nn.Module):
    """An embedding and an output layer, of one matrix or of two."""

    def __init__(self, tied: bool):
        super().__init__()
        self.embeddings = nn.Embedding(4, 3)
        self.decoder = nn.Linear(3, 4, bias=False)
        nn.init.ones_(self.embeddings.weight)
        nn.init.ones_(self.decoder.weight)
        if tied:
            self.decoder.weight = self.embeddings.weight
        self.register_buffer("statistics", torch.ones(5))


def test_tied_weights_count_once_and_buffers_never():
    base, tuned = Tied(tied=True), Tied(tied=True)
    with torch.no_grad():
        tuned.embeddings.weight += 1
        tuned.statistics += 100
    assert weight_distance(base, tuned) == pytest.approx(math.sqrt(12))
    rows = measure_drift(base, tuned)
    assert sum(row["parameters"] for row in rows if row["kind"] == "all") == 12


def test_weights_tied_in_one_model_only_are_two():
    base, tuned = Tied(tied=True), Tied(tied=False)
    with torch.no_grad():
        tuned.decoder.weight += 1
    rows = [row for row in measure_drift(base, tuned) if row["kind"] == "all"]
    assert [(row["layer"], row["parameters"], row["l2"]) for row in rows] == [
        ("embeddings", 12, 0.0),
        ("other", 12, pytest.approx(math.sqrt(12))),
    ]


def test_the_head_is_compared_with_its_own_initial_state():
    base, tuned = (tiny.build_model("roberta", "sequence", 3, seed=seed) for seed in (0, 1))
    tuned.roberta.load_state_dict(base.roberta.state_dict())
    before = {
        name: tensor.detach().clone() + 0.5
        for name, tensor in tuned.named_parameters()
        if find_places(tuned)[name].layer == HEAD
    }
    rows = measure_drift(base.roberta, tuned, before)
    l2 = {row["layer"]: row["l2"] for row in rows if row["kind"] == "all"}
    size = sum(tensor.numel() for tensor in before.values())
    assert l2.pop("classifier") == pytest.approx(0.5 * math.sqrt(size))
    assert len(l2) == 3
    assert set(l2.values()) == {0.0}
    assert "classifier" not in {row["layer"] for row in measure_drift(base.roberta, tuned)}
    with pytest.raises(StudyError, match=r"does not have: pre_classifier\.weight"):
        measure_drift(base, tuned, {"pre_classifier.weight": torch.zeros(2)})


# --- adapters ---


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("task", tiny.TASKS)
def test_a_lora_model_is_measured_merged_and_left_alone(family, task):
    base = tiny.build_model(family, task, 3)
    tuned = adapted(copy.deepcopy(base), family, task)
    batch = tiny.build_batch()
    state, logits = parameter_state(tuned), tuned(**batch).logits
    merged = copy.deepcopy(tuned).merge_and_unload()
    assert not torch.equal(merged(**batch).logits, base(**batch).logits)
    expected = naive_distances(base, merged)
    assert weight_distance(base, tuned, list(expected)) == pytest.approx(expected, rel=1e-12)
    assert weight_distance(tuned, base, list(expected)) == weight_distance(
        base, tuned, list(expected)
    )
    assert weight_distance(tuned, merged) == 0
    assert weight_distance(tuned, tuned) == 0
    after = tuned.state_dict()
    assert state.keys() == after.keys()
    assert all(torch.equal(state[name], after[name]) for name in state)
    assert torch.equal(tuned(**batch).logits, logits)
    moved = {
        row["kind"] for row in measure_drift(base, tuned) if row["l2"] > 0 and row["kind"] != "all"
    }
    moved = {kind.rpartition(".")[2] for kind in moved}
    assert moved == {*tiny.QUERY_AND_VALUE[family], "classifier", "bias"}


def test_the_model_that_was_wrapped_in_place_is_read_as_it_was():
    base = tiny.build_model("bert", "sequence")
    untouched = copy.deepcopy(base)
    tuned = adapted(base, "bert")
    expected = weight_distance(untouched, tuned)
    assert expected > 0
    assert weight_distance(base, tuned) == weight_distance(tuned, base) == expected
    assert weight_distance(base, untouched) > 0  # alone, it computes with its adapters
    tuned.merge_adapter()
    assert weight_distance(untouched, tuned) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(StudyError, match="adapter merged into it"):
        weight_distance(base, tuned)


@pytest.mark.parametrize(
    "extra",
    [{"use_dora": True}, {"use_rslora": True}, {"lora_bias": True}, {"bias": "lora_only"}],
)
def test_variants_of_lora_are_merged_as_peft_merges_them(extra):
    base = tiny.build_model("bert", "sequence")
    tuned = adapted(copy.deepcopy(base), "bert", **extra)
    with torch.no_grad():
        for parameter in tuned.parameters():
            if parameter.requires_grad:
                parameter += 0.1
    merged = copy.deepcopy(tuned).merge_and_unload()
    assert weight_distance(tuned, merged) == 0
    assert weight_distance(base, tuned) > 0


def test_prefix_tuning_has_no_drift():
    config = PrefixTuningConfig(num_virtual_tokens=2, task_type="SEQ_CLS")
    base = tiny.build_model("bert", "sequence")
    tuned = get_peft_model(copy.deepcopy(base), config)
    with pytest.raises(StudyError, match=r"PREFIX_TUNING .* drift is undefined"):
        weight_distance(base, tuned)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_lora_changes_nothing_outside_its_targets_and_head(family):
    base = tiny.build_model(family, "sequence")
    tuned = adapted(copy.deepcopy(base), family)
    places = find_places(base)
    own: dict[str, Place] = {place.name: place for place in places.values()}

    def allowed(name):
        place = own[name]
        return place.layer == HEAD or place.kind.endswith(tuple(tiny.QUERY_AND_VALUE[family]))

    check = untrained.untouched_outside(base, tuned, allowed)
    assert check.changed == ()
    compared = [p for name, p in base.named_parameters() if not allowed(places[name].name)]
    assert (check.tensors, check.parameters) == (len(compared), sum(p.numel() for p in compared))
    assert check.tensors > 20
    everything = untrained.untouched_outside(base, tuned, lambda _: False).changed
    assert everything
    assert all(map(allowed, everything))


def test_one_flipped_bit_outside_is_noticed():
    base = tiny.build_model("bert", "sequence")
    tuned = copy.deepcopy(base)
    weight = tuned.bert.encoder.layer[0].output.dense.weight.data
    weight[0, 0] = torch.nextafter(weight[0, 0], torch.tensor(1.0))
    check = untrained.untouched_outside(base, tuned, lambda name: name.startswith("classifier"))
    assert check.changed == ("encoder.layer.0.output.dense.weight",)


# --- embedding rows ---


def test_weight_decay_alone_moves_untouched_rows_as_predicted():
    table = nn.Embedding(12, 4)
    before = table.weight.detach().clone()
    optimizer = torch.optim.AdamW(table.parameters(), lr=1.0, weight_decay=0.3)
    rates = [0.01, 0.05, 0.03, 0.002]
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        table(torch.tensor([1, 2, 2, 5])).square().sum().backward()
        optimizer.step()
    touched = np.zeros(12, dtype=bool)
    touched[[1, 2, 5]] = True
    factor = untrained.weight_decay_factor(rates, 0.3)
    assert factor == pytest.approx((1 - 0.003) * (1 - 0.015) * (1 - 0.009) * (1 - 0.0006))
    found = untrained.embedding_row_drift(before, table.weight, touched, factor)
    assert (found["rows"], found["touched_rows"], found["touched_share"]) == (12, 3, 0.25)
    assert found["untouched_mean"] == pytest.approx(found["decay_mean"], rel=1e-5)
    assert 0 <= found["unexplained_max"] < 1e-6
    assert found["touched_mean"] > found["untouched_max"] > 0
    assert found["untouched_unchanged"] == 0


def test_row_drift_by_hand():
    base = torch.zeros(4, 2)
    tuned = torch.tensor([[3.0, 4.0], [0.0, 1.0], [0.0, 0.0], [0.0, 2.0]])
    touched = np.array([True, True, False, False])
    assert untrained.embedding_row_drift(base, tuned, touched) == {
        "rows": 4,
        "touched_rows": 2,
        "touched_share": 0.5,
        "touched_mean": 3.0,
        "touched_max": 5.0,
        "untouched_mean": 1.0,
        "untouched_max": 2.0,
        "untouched_unchanged": 1,
        "decay_mean": 0.0,
        "unexplained_max": 2.0,
    }
    all_touched = untrained.embedding_row_drift(base, tuned, np.ones(4, dtype=bool))
    assert all_touched["untouched_mean"] is None
    assert all_touched["untouched_unchanged"] == 0


def test_row_drift_of_a_table_longer_than_a_piece():
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(700, 200, generator=generator)
    tuned = base + torch.randn(700, 200, generator=generator)
    touched = np.arange(700) < 50
    found = untrained.embedding_row_drift(base, tuned, touched)
    dense = np.linalg.norm((tuned.double() - base.double()).numpy(), axis=1)
    assert found["touched_mean"] == pytest.approx(dense[:50].mean())
    assert found["untouched_max"] == pytest.approx(dense[50:].max())


def test_tables_of_two_vocabularies_are_an_error():
    with pytest.raises(StudyError, match=r"\(4, 2\), \(5, 2\) and \(4,\)"):
        untrained.embedding_row_drift(torch.zeros(4, 2), torch.zeros(5, 2), np.zeros(4, dtype=bool))


def test_a_pooler_can_be_counted_with_the_head() -> None:
    base = tiny.build_model("bert", "sequence", seed=1)
    tuned = tiny.build_model("bert", "sequence", seed=2)
    apart = {(r["layer"], r["kind"]): r for r in measure_drift(base, tuned)}
    joined = {
        (r["layer"], r["kind"]): r
        for r in measure_drift(base, tuned, counted_with={"pooler": "classifier"})
    }
    parts = [apart["pooler", "all"], apart["classifier", "all"]]
    whole = joined["classifier", "all"]
    assert ("pooler", "all") not in joined
    assert whole["parameters"] == sum(part["parameters"] for part in parts)
    assert whole["l2"] == pytest.approx(math.hypot(*(part["l2"] for part in parts)))
    assert all(row["l2"] > 0 for row in parts)
    assert joined["encoder.layer.0", "all"] == apart["encoder.layer.0", "all"]
