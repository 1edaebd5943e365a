"""Ranks, spectra and intruders against dense SVDs, peft's own tool and constructed matrices."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from peft.tuners.lora.intruders import reduce_intruder_dimension

import tiny
from drift import spectra
from encoders.structure import find_places, find_structure

SEEDS = st.integers(0, 10_000)
PLACE = ("encoder.layer.0", "attention.self.query")
SHAPES = st.sampled_from([(12, 12), (9, 20), (20, 9), (1, 5)])


def random_matrix(shape, seed, size=1.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return size * torch.randn(*shape, dtype=dtype, generator=generator)


def low_rank(shape, rank, seed, size=1.0):
    left = random_matrix((shape[0], rank), seed)
    return size * left @ random_matrix((rank, shape[1]), seed + 1)


@settings(max_examples=25)
@given(shape=SHAPES, seed=SEEDS, size=st.floats(1e-4, 1e3))
def test_singular_values_agree_with_the_dense_decomposition(shape, seed, size):
    matrix = random_matrix(shape, seed, size)
    dense = np.linalg.svd(matrix.numpy(), compute_uv=False)
    np.testing.assert_allclose(
        spectra.singular_values(matrix), dense, rtol=1e-6, atol=1e-7 * dense[0]
    )


@settings(max_examples=25)
@given(shape=SHAPES, seed=SEEDS, shift=st.floats(0, 3))
def test_cosines_agree_with_the_dense_decomposition(shape, seed, shift):
    base = random_matrix(shape, seed)
    tuned = base + shift * random_matrix(shape, seed + 1)
    U_base = torch.linalg.svd(base, full_matrices=False).U
    U_tuned = torch.linalg.svd(tuned, full_matrices=False).U
    dense = (U_tuned.T @ U_base).abs().amax(dim=1)[:4]
    np.testing.assert_allclose(
        spectra.best_cosines(spectra.left_vectors(base), tuned, 4), dense, atol=1e-6
    )


@settings(max_examples=25)
@given(shape=SHAPES, rank=st.integers(1, 6), seed=SEEDS, size=st.floats(1e-4, 1e3))
def test_singular_values_of_factors_are_those_of_their_product(shape, rank, seed, size):
    left, right = random_matrix((shape[0], rank), seed, size), random_matrix((rank, shape[1]), seed)
    found = spectra.product_singular_values(left, right)
    dense = np.linalg.svd((left @ right).numpy(), compute_uv=False)
    assert len(found) <= rank
    padded = np.zeros_like(dense)
    padded[: len(found)] = found[: len(dense)]
    np.testing.assert_allclose(padded, dense, rtol=1e-9, atol=1e-9 * dense[0])
    assert (found[len(dense) :] < 1e-9 * dense[0]).all()


@settings(max_examples=25)
@given(rank=st.integers(1, 9), seed=SEEDS, size=st.floats(1e-4, 1))
def test_a_low_rank_update_keeps_its_rank_through_float32(rank, seed, size):
    base = random_matrix((64, 48), seed, 0.04, torch.float32)
    tuned = base + low_rank((64, 48), rank, seed + 1, size).float()
    update = spectra.measure_matrix(base, tuned, {}, PLACE)
    assert update["rank"] == rank
    change = tuned.double() - base.double()
    assert np.linalg.matrix_rank(change.numpy()) == 48  # the rounding
    assert spectra.top_share(spectra.singular_values(change), rank) == pytest.approx(1, abs=1e-6)
    assert 1 <= update["effective_rank"] <= rank + 1e-9


def test_a_full_update_has_full_rank_and_no_change_has_none():
    base = random_matrix((20, 12), 0, dtype=torch.float32)
    changed = base + random_matrix((20, 12), 1, 0.01).float()
    assert spectra.measure_matrix(base, changed, {}, PLACE)["rank"] == 12
    assert spectra.measure_matrix(base, base.clone(), {}, PLACE) == {
        "rank": 0,
        "effective_rank": None,
        "top8_share": None,
        "intruders": 0,
    }


def test_effective_rank_of_textbook_spectra():
    assert spectra.effective_rank(np.ones(7)) == pytest.approx(7)
    assert spectra.effective_rank(np.array([3.0, 0.0, 0.0])) == pytest.approx(1)
    halves = np.array([0.5, 0.25, 0.25])
    assert spectra.effective_rank(10 * halves) == pytest.approx(2**1.5)
    assert spectra.effective_rank(np.zeros(3)) is None


def test_top_share_of_a_textbook_spectrum():
    values = np.array([1.0, 2.0, 3.0])
    assert spectra.top_share(values, 1) == pytest.approx(9 / 14)
    assert spectra.top_share(values, 8) == 1
    assert spectra.top_share(np.zeros(2), 1) is None


@pytest.mark.parametrize("shape", [(60, 60), (40, 120), (120, 40)])
def test_a_planted_intruder_is_counted_and_a_scaled_matrix_has_none(shape):
    base = random_matrix(shape, 0, 0.05)
    assert spectra.count_intruders(spectra.left_vectors(base), base) == 0
    assert spectra.count_intruders(spectra.left_vectors(base), 2 * base) == 0
    direction = torch.nn.functional.normalize(random_matrix((shape[0],), 1), dim=0)
    other = torch.nn.functional.normalize(random_matrix((shape[1],), 2), dim=0)
    tuned = base + 10 * torch.outer(direction, other)
    assert spectra.count_intruders(spectra.left_vectors(base), tuned) == 1
    assert spectra.best_cosines(spectra.left_vectors(base), tuned, 10).min() >= 0.01


def lora_model(family="bert", seed=0, rank=3, width=32):
    base = tiny.build_model(family, "sequence", width=width, seed=seed)
    config = LoraConfig(
        r=rank, target_modules=tiny.QUERY_AND_VALUE[family], init_lora_weights=False
    )
    torch.manual_seed(seed)
    return base, get_peft_model(copy.deepcopy(base), config).eval()


def test_intruders_of_an_adapter_are_those_that_peft_reports():
    base, tuned = lora_model()
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter *= 3
    lines: list[str] = []
    rows = spectra.measure_update(base, tuned)
    reduce_intruder_dimension(copy.deepcopy(tuned), logging_sink=lines.append)
    reported = {}
    for line in lines:
        module, _, found = line.partition(": ")
        if found.startswith(("Intruders", "No intruders")):
            place = find_structure(tuned).place(f"{module}.base_layer.weight")
            reported[place.layer, place.kind] = int(
                found.rpartition(" ")[2].replace("intruders", "0")
            )
    ours = {(row["layer"], row["kind"]): row["intruders"] for row in rows if row["rank"]}
    assert ours == reported
    assert len(ours) == 4
    assert sum(ours.values()) > 0


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_rows_of_the_four_families(family):
    base, tuned = lora_model(family)
    rows = spectra.measure_update(base, tuned)
    assert [(row["layer"], row["kind"]) for row in rows] == [
        (place.layer, place.kind)
        for place in find_places(base).values()
        if place.layer.startswith("encoder") and place.kind not in ("bias", "layer_norm")
    ]
    assert len(rows) == 2 * 6
    for row in rows:
        if row["kind"].endswith(tuple(tiny.QUERY_AND_VALUE[family])):
            assert row["rank"] == 3
            assert 1 <= row["effective_rank"] <= 3
            assert row["top8_share"] == pytest.approx(1, abs=1e-6)
        else:
            assert (row["rank"], row["intruders"], row["top8_share"]) == (0, 0, None)
    again = spectra.measure_update(base, tuned)
    assert again == rows


def test_a_change_of_all_weights_has_full_rank():
    base, tuned = (tiny.build_model("bert", "sequence", seed=seed) for seed in (0, 1))
    rows = spectra.measure_update(base, tuned)
    first = rows[0]
    query = [m.bert.encoder.layer[0].attention.self.query.weight.detach() for m in (base, tuned)]
    dense = np.linalg.svd((query[1] - query[0]).double().numpy(), compute_uv=False)
    assert first["top8_share"] == pytest.approx((dense[:8] ** 2).sum() / (dense**2).sum())
    assert (first["layer"], first["kind"], first["rank"]) == (*PLACE, 16)


def test_factors_give_what_the_merged_matrices_give(monkeypatch):
    """The rows of an adapter by its factors, and by the dense difference of the same matrices."""
    base, tuned = lora_model(rank=3)
    asked = []
    of_product = spectra.product_singular_values
    monkeypatch.setattr(
        spectra, "product_singular_values", lambda *f: asked.append(f) or of_product(*f)
    )
    rows = spectra.measure_update(base, tuned)
    assert len(asked) == 4, "query and value of two layers"
    merged = copy.deepcopy(tuned).merge_and_unload()
    dense = spectra.measure_update(base, merged)
    assert len(asked) == 4, "merged matrices have no factors"
    for found, expected in zip(rows, dense, strict=True):
        assert {**found, **dict.fromkeys(NUMBERS)} == {**expected, **dict.fromkeys(NUMBERS)}
        for name in NUMBERS:
            assert found[name] == (expected[name] and pytest.approx(expected[name], rel=1e-5))


@pytest.mark.parametrize("variant", [{"use_dora": True}, {"two": True}, {"start": True}])
def test_what_factors_do_not_say_is_measured_densely(variant):
    """DoRA scales columns, two adapters add up, and another start is another difference."""
    base = tiny.build_model("bert", "sequence", width=32)
    config = LoraConfig(
        r=2, target_modules=["query"], init_lora_weights=False, use_dora="use_dora" in variant
    )
    tuned = get_peft_model(copy.deepcopy(base), config)
    if "two" in variant:
        tuned.add_adapter("second", config)
        tuned.base_model.set_adapter(["default", "second"])
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "magnitude" in name:
                parameter *= torch.linspace(0.5, 2, len(parameter))
    if "start" in variant:
        base.bert.encoder.layer[0].attention.self.query.weight.data += 0.1
        base.bert.encoder.layer[1].attention.self.query.weight.data += 0.1
    rows = spectra.measure_update(base, tuned)
    merged = copy.deepcopy(tuned).merge_and_unload(
        adapter_names=["default", "second"] if "two" in variant else None
    )
    assert [row for row in rows if row["kind"] == PLACE[1]] == [
        row for row in spectra.measure_update(base, merged) if row["kind"] == PLACE[1]
    ]
    assert max(row["rank"] for row in rows) > 2


NUMBERS = ("effective_rank", "top8_share")


def test_known_directions_change_no_row_and_are_found_once(monkeypatch):
    base = tiny.build_model("bert", "sequence", seed=0)
    tuned = tiny.build_model("bert", "sequence", seed=1)
    known: spectra.Directions = {}
    rows = spectra.measure_update(base, tuned, known)
    assert len(known) == len(rows) == 12 and any(row["intruders"] for row in rows)
    monkeypatch.setattr(spectra, "left_vectors", None)
    assert spectra.measure_update(base, tuned, known) == rows
