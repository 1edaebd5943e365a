import functools
import itertools
import re
import string
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb

import plots
from plots.drawing import cut_note, draw_estimate, visible_interval
from plots.style import method_styles
from study.architecture import components
from synthetic_study import Traits, build_study
from words.wording import LANGUAGES, load_wording

SMALL = {"sentences": 120, "words": 500, "resamples": 40}
EN, RU = load_wording("en"), load_wording("ru")
OF_A_TASK = ("learning_curves", "learning_curves_by_time", "costs", "memory", "quality")
OF_THE_STUDY = tuple(
    name.removeprefix("plot_") for name in plots.__all__ if name[5:] not in OF_A_TASK
)


def draw(name, study, words=EN, task="pos"):
    function = getattr(plots, f"plot_{name}")
    return function(study, task, words) if name in OF_A_TASK else function(study, words)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def three():
    return build_study(("full", "lora", "frozen"), (42, 43, 44), **SMALL)


@pytest.fixture(scope="module")
def one():
    return build_study(("full", "lora"), (42,), **SMALL)


@pytest.fixture(scope="module")
def odd():
    """More languages, a method that cannot be merged, an unknown one, and gaps."""
    return build_study(
        ("full", "lora", "prefix", "novel"),
        (42, 43),
        ("de", "fr", "cs"),
        missing=("cola-lora-seed43", "pos-prefix-seed42", "pos-prefix-seed43", "pos-full-seed42"),
        phenomena=(),
        **SMALL,
    )


@pytest.fixture(scope="module")
def empty():
    runs = [f"{t}-full-seed42" for t in ("cola", "pos")]
    return build_study(("full",), (42,), missing=runs, **SMALL)


def color_of(method):
    return to_hex(method_styles([])[method].color)


def lines(ax, color=None, marker=None):
    """Lines in view of a colour and a marker, as arrays (points, 2)."""
    return [
        line.get_xydata()
        for line in ax.lines
        if color in (None, to_hex(line.get_color())) and marker in (None, line.get_marker())
    ]


def points(ax, color, marker):
    """All points drawn with this marker alone, (points, 2)."""
    found = [
        line.get_xydata()
        for line in ax.lines
        if line.get_linestyle() == "None"
        and to_hex(line.get_color()) == color
        and line.get_marker() == marker
    ]
    return np.concatenate(found) if found else np.empty((0, 2))


def visible(figure):
    return [ax for ax in figure.axes if ax.axison]


def texts(figure):
    found = [text.get_text() for text in figure.findobj(plt.Text) if text.get_visible()]
    return [text for text in found if text.strip()]


def legend(figure):
    return [text.get_text() for box in figure.legends for text in box.get_texts()]


# ------------------------------------------------------------------------------------ all figures


@functools.cache
def _catalogue(language):
    return load_wording(language).texts["plots"]


def test_both_languages_have_the_same_keys_with_the_same_placeholders():
    english = _catalogue("en")
    assert len(english) > 50
    for language in LANGUAGES:
        other = _catalogue(language)
        assert set(other) == set(english)
        for key, text in other.items():
            assert _fields(text) == _fields(english[key]), key


def _fields(template):
    return {field for _, field, _, _ in string.Formatter().parse(template) if field}


def test_every_key_that_the_figures_say_is_written():
    sources = list(Path(plots.__file__).parent.glob("*.py"))
    said = {
        key
        for source in sources
        for key in re.findall(r'\.say\(\s*"plots",\s*"(\w+)"', source.read_text(encoding="utf-8"))
    }
    assert len(said) > 25
    assert said <= _catalogue("en").keys()


@pytest.mark.parametrize("name", [*OF_A_TASK, *OF_THE_STUDY])
@pytest.mark.parametrize("kind", ["one", "odd", "empty"])
def test_every_figure_of_every_study_can_be_made(name, kind, request):
    study = request.getfixturevalue(kind)
    for task in ("cola", "pos") if name in OF_A_TASK else ("pos",):
        figure = draw(name, study, RU if kind == "odd" else EN, task)
        assert figure.get_size_inches()[0] == pytest.approx(6.3)
        if kind == "empty":
            assert texts(figure) == [EN.say("plots", "nothing")]
        else:
            assert sum(ax.has_data() for ax in figure.axes) > 0


@pytest.mark.parametrize(
    ("name", "words"),
    zip([*OF_A_TASK, *OF_THE_STUDY], itertools.cycle([RU, EN]), strict=False),
)
def test_nothing_is_cut_off_or_squeezed(name, words, three):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # constrained layout warns where axes collapse
        figure = draw(name, three, words)
        figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert len(texts(figure)) > 8
    assert box.x0 > -0.02 and box.x1 < width + 0.02
    assert box.y0 > -0.02 and box.y1 < height + 0.02
    titles = {ax.get_title(loc="left") for ax in visible(figure)} - {""}
    spans = [t.get_window_extent() for t in figure.findobj(plt.Text) if t.get_text() in titles]
    for one, other in itertools.combinations(spans, 2):
        assert not one.overlaps(other)


def test_a_method_has_one_colour_in_all_figures(odd):
    expected = to_hex(method_styles(["novel"])["novel"].color)
    for name, task in (("learning_curves", "pos"), ("quality", "cola"), ("drift_comparison", "")):
        figure = draw(name, odd, EN, task)
        assert any(lines(ax, expected) for ax in figure.axes), name


def test_russian_figures_have_a_decimal_comma_and_no_english(three):
    figure = draw("learning_curves", three, RU, "cola")
    figure.draw_without_rendering()
    ticks = [text.get_text() for ax in visible(figure) for text in ax.get_yticklabels()]
    assert any("," in tick for tick in ticks) and not any("." in tick for tick in ticks)
    assert "полное дообучение" in legend(figure)
    said = " ".join(texts(figure))
    assert not re.search(r"\b(loss|step|validation|seed)", said)


# ------------------------------------------------------------------------------- learning curves


def test_curves_show_the_mean_the_seeds_and_the_best_step(three):
    figure = draw("learning_curves", three, task="cola")
    ax = visible(figure)[2]
    rows = three.curves[(three.curves.task == "cola") & (three.curves.method == "full")]
    rows = rows[(rows.split == "validation") & (rows.metric == "matthews_correlation")]
    mean = rows.groupby("step").value.mean()
    drawn = lines(ax, color_of("full"), "None")
    assert any(np.allclose(line, np.c_[mean.index, mean]) for line in drawn)
    assert len([line for line in drawn if len(line) == len(mean)]) == 4  # the mean and three seeds
    assert len(ax.collections) == 3  # a band for each method
    best = points(ax, color_of("full"), "o")
    assert best.tolist() == [[mean.idxmax(), pytest.approx(mean.max())]]


def test_the_best_step_of_a_loss_is_the_lowest(one):
    figure = draw("learning_curves", one, task="pos")
    rows = one.curves[(one.curves.run == "pos-full-seed42") & (one.curves.metric == "loss")]
    rows = rows[rows.split == "validation"]
    best = rows.loc[rows.value.idxmin()]
    assert best.step < rows.step.max()  # or the test would not tell lowest from last
    axes = {ax.get_title(loc="left"): ax for ax in visible(figure)}
    drawn = points(axes["Validation loss"], color_of("full"), "o")
    assert drawn.tolist() == [[best.step, pytest.approx(best.value)]]
    assert not axes["Validation loss"].collections  # one seed has no band
    assert "range of the seeds" not in legend(figure)


def test_curves_by_time_end_at_the_training_time(three):
    figure = draw("learning_curves_by_time", three, task="pos")
    runs = three.runs[three.runs.task == "pos"].groupby("method").training_seconds.mean()
    for ax in visible(figure):
        for method in ("full", "lora", "frozen"):
            ends = [line[-1, 0] for line in lines(ax, color_of(method), "None")]
            assert ends == pytest.approx([runs[method]] * len(ends))


# ----------------------------------------------------------------------------------------- costs


def test_costs_are_medians_with_the_ratio_to_the_first_method(three):
    figure = draw("costs", three, task="cola")
    time, memory, parameters, kept = visible(figure)
    runs = three.runs[three.runs.task == "cola"]
    medians = runs.groupby("method", sort=False).training_seconds.median()
    assert [bar.get_width() for bar in time.patches] == pytest.approx(medians.tolist())
    ratio = EN.number(medians["lora"] / medians["full"], 2)
    labels = [text.get_text() for text in time.texts]
    assert labels[0] == EN.duration(medians["full"]) and labels[1].endswith(f"(×{ratio})")
    assert parameters.get_xscale() == kept.get_xscale() == "log" and time.get_xscale() == "linear"
    trainable = runs.groupby("method").trainable_parameters.median()
    assert points(parameters, color_of("lora"), "s")[0, 0] == trainable["lora"]
    assert memory.patches[2].get_width() < memory.patches[0].get_width()


def test_memory_stacks_the_computed_parts_beside_the_peak(three):
    ax = draw("memory", three, task="cola").axes[0]
    run = three.runs[(three.runs.task == "cola") & (three.runs.method == "full")].median(
        numeric_only=True
    )
    parts = [run[f"memory_{part}_bytes"] / 1e6 for part in ("parameters", "gradients", "optimizer")]
    bars = ax.patches[:4]
    assert [bar.get_width() for bar in bars] == pytest.approx([*parts, run.peak_memory_bytes / 1e6])
    assert [bar.get_x() for bar in bars] == pytest.approx([0, parts[0], sum(parts[:2]), 0])


# --------------------------------------------------------------------------------------- quality


def test_quality_shows_estimates_with_intervals_and_seeds(three):
    figure = draw("quality", three, task="pos")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "full fine-tuning",
        "LoRA",
        "frozen encoder",
        "most frequent tag",
    ]
    entry = three.evidence["pos"]["methods"]["lora"]["evaluations"]["de_syn:test"]["metrics"]
    ax = figure.axes[2]  # second row: German accuracy
    estimate = entry["accuracy"]
    marks = points(ax, color_of("lora"), "s")
    assert marks.tolist() == [[pytest.approx(estimate["value"]), 1]]
    spans = [line[:, 0].tolist() for line in lines(ax, color_of("lora"), "None")]
    assert list(visible_interval(estimate)) in spans
    assert [estimate["low_items"], estimate["high_items"]] in spans
    seeds = [line[:, 0].tolist() for line in lines(ax, marker="o") if len(line) == 3]
    assert estimate["per_seed"] in seeds
    assert EN.percent(estimate["value"]) in [text.get_text() for text in ax.texts]


def test_an_interval_of_two_seeds_does_not_squeeze_the_figure():
    estimate = {"value": 0.6, "per_seed": [0.55, 0.65], "low": -0.04, "high": 1.24}
    estimate |= {"low_items": 0.53, "high_items": 0.68}
    ax = plt.subplots()[1]
    draw_estimate(ax, 0, estimate, method_styles([])["full"], upright=False)
    assert visible_interval(estimate) == pytest.approx((0.6 - 4 * 0.08, 0.6 + 4 * 0.08))
    assert points(ax, color_of("full"), "<")[:, 0] == pytest.approx([0.28])
    assert points(ax, color_of("full"), ">")[:, 0] == pytest.approx([0.92])
    assert cut_note(EN, [estimate]) == EN.say("plots", "cut_note")
    whole = {**estimate, "low": 0.4, "high": 0.8}
    assert visible_interval(whole) == (0.4, 0.8) and cut_note(EN, [whole]) == ""


def test_one_seed_has_an_interval_over_items_only(one):
    figure = draw("quality", one, task="cola")
    assert legend(figure) == ["95% interval, items"]


def test_the_threshold_curve_marks_argmax_and_upper_bound(three):
    ax = draw("threshold", three).axes[0]
    for method, marker in (("full", "o"), ("lora", "s")):
        entry = three.evidence["cola"]["methods"][method]["threshold"]
        curve = np.c_[entry["thresholds"], entry["matthews_correlation"]]
        assert any(
            line.shape == curve.shape and np.allclose(line, curve)
            for line in lines(ax, color_of(method), "None")
        )
        marks = points(ax, color_of(method), marker)
        assert [0.5, entry["argmax"]] in marks.tolist()
        assert entry["argmax"] == pytest.approx(marks[0, 1])
    hollow = [line for line in ax.lines if to_hex(to_rgb(line.get_markerfacecolor())) == "#ffffff"]
    bounds = [line.get_ydata()[0] for line in hollow if line.get_marker() != "None"]
    methods = three.evidence["cola"]["methods"].values()
    assert bounds == [m["threshold"]["upper_bound"] for m in methods if m["threshold"]]


def test_errors_have_a_panel_for_every_division_that_there_is(three, odd):
    def titles(study):
        return [ax.get_title(loc="left") for ax in visible(draw("acceptability_errors", study))]

    everything = ["By source", "By length (words)", "By gold label", "By phenomenon"]
    assert sorted(titles(three)) == sorted(everything)
    assert titles(odd) == everything[:3]


def test_errors_show_the_accuracy_of_each_group(three):
    axes = {ax.get_title(loc="left"): ax for ax in visible(draw("acceptability_errors", three))}
    ax = axes["By phenomenon"]
    rows = three.evidence["cola"]["methods"]["full"]["errors"]["by_phenomenon"]
    assert len(rows) == 3
    drawn = points(ax, color_of("full"), "o")[:, 0].tolist()
    assert drawn == pytest.approx([row["accuracy"]["value"] for row in rows])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [f"{EN.name(row['group'])} ({row['items']})" for row in rows]


# -------------------------------------------------------------------------------------- transfer


def test_tags_stand_in_the_order_of_the_drop_with_both_accuracies(three):
    ax = draw("tag_transfer", three).axes[0]
    order = [label.get_text() for label in ax.get_yticklabels()]
    entry = three.evidence["pos"]["methods"]["full"]["transfer"]["de_syn:test"]["by_tag"]
    rows = {row["group"]: row for row in entry}
    drops = [rows[tag]["drop"]["value"] for tag in order]
    assert len(order) > 10 and drops == sorted(drops, reverse=True)
    assert {"SYM", "INTJ"}.isdisjoint(order)  # words that no set has
    drawn = points(ax, color_of("full"), "o")
    source, target = drawn[: len(order), 0], drawn[len(order) :, 0]
    assert source.tolist() == pytest.approx([rows[tag]["source_accuracy"] for tag in order])
    assert target.tolist() == pytest.approx([rows[tag]["target_accuracy"] for tag in order])


def test_there_is_a_panel_for_every_method_and_language(odd):
    figure = draw("tag_transfer", odd)
    # prefix has no run of this task; full lacks one seed, not all
    titles = [ax.get_title(loc="left") for ax in visible(figure)]
    assert titles == ["full fine-tuning", "LoRA", "novel"] * 3


def test_causes_add_up_to_the_drop(three):
    ax = draw("drop_causes", three).axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    entry = three.evidence["pos"]["methods"]["lora"]["transfer"]["de_syn:test"]
    drawn = points(ax, color_of("lora"), "s")
    rows = np.round(drawn[:, 1]).astype(int)
    assert [labels[row] for row in rows][-1] == "the whole drop"
    assert drawn[:-1, 0].sum() == pytest.approx(entry["drop"]["value"])
    assert drawn[-1, 0] == pytest.approx(entry["drop"]["value"])
    values = {EN.name(c["cause"]): c["points"]["value"] for c in entry["causes"]}
    assert {labels[r]: x for r, x in zip(rows, drawn[:, 0], strict=True)} == pytest.approx(
        values | {"the whole drop": entry["drop"]["value"]}
    )


def test_the_breakdown_has_a_row_for_every_evaluated_set(odd):
    figure = draw("transfer_breakdown", odd)
    axes = np.array(figure.axes).reshape(4, 3)
    assert [row[0].get_ylabel().split("\n")[0] for row in axes] == [
        "English",
        "German",
        "French",
        "Czech",
    ]
    rows = odd.evidence["pos"]["methods"]["lora"]["evaluations"]["fr_syn:test"]["by_seen"]
    drawn = points(axes[2, 0], color_of("lora"), "s")[:, 1]
    assert drawn.tolist() == pytest.approx([row["accuracy"]["value"] for row in rows])
    labels = [label.get_text() for label in axes[2, 0].get_xticklabels()]
    assert labels == [f"{EN.name(row['group'])}\n{EN.percent(row['share'], 0)}" for row in rows]


def test_confusions_are_shares_of_their_rows(three):
    figure = draw("confusion", three)
    panels = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title(loc="left") for ax in panels] == ["full fine-tuning", "LoRA"]
    evidence = three.evidence["pos"]
    table = np.array(evidence["methods"]["full"]["evaluations"]["de_syn:test"]["confusion"])
    used = [label.get_text() for label in panels[0].get_yticklabels()]
    places = [evidence["tags"].index(tag) for tag in used]
    shown = np.ma.filled(panels[0].images[0].get_array(), np.nan)
    totals = table.sum(axis=1)
    for row, place in enumerate(places):
        if totals[place]:
            assert shown[row].sum() == pytest.approx(1)
            assert shown[row, row] == pytest.approx(table[place, place] / totals[place])
        else:
            assert np.isnan(shown[row]).all()
    noun, name = used.index("NOUN"), used.index("PROPN")
    written = {text.get_position(): text.get_text() for text in panels[0].texts}
    assert shown[noun, name] > 0.05
    assert written[name, noun] == f"{100 * shown[noun, name]:.0f}"


# ----------------------------------------------------------------------------------------- drift


def test_the_histogram_has_a_bar_for_every_layer_of_every_model(three):
    figure = plots.plot_drift_histogram(three, EN, "l2")
    panels = {ax.get_title(loc="left"): ax for ax in visible(figure)}
    expected = ["CoLA: full fine-tuning", "CoLA: LoRA"]
    expected += ["POS tagging: full fine-tuning", "POS tagging: LoRA"]
    assert list(panels) == expected
    labels = [label.get_text() for label in panels["CoLA: LoRA"].get_xticklabels()]
    assert labels == ["emb", "0", "1", "2", "3", "pooler", "head"]
    rows = three.drift[(three.drift.task == "cola") & (three.drift.method == "lora")]
    means = rows[rows.kind == "all"].groupby("layer").l2.mean()
    order = ["embeddings", *(f"encoder.layer.{n}" for n in range(4)), "pooler", "classifier"]
    heights = [bar.get_height() for bar in panels["CoLA: LoRA"].patches]
    assert heights == pytest.approx(means[order].tolist())
    strong = [
        to_hex(bar.get_facecolor()) == color_of("lora") for bar in panels["CoLA: LoRA"].patches
    ]
    assert strong == [layer in components(4).values() for layer in order]
    assert any("frozen encoder" in text and "head" in text for text in texts(figure))


@pytest.mark.parametrize("metric", ["l2", "relative", "rms"])
def test_the_metric_of_the_histogram_can_be_chosen(metric, one):
    figure = plots.plot_drift_histogram(one, EN, metric)
    rows = one.drift[(one.drift.run == "pos-full-seed42") & (one.drift.kind == "all")]
    panel = next(
        ax for ax in visible(figure) if ax.get_title(loc="left").endswith("full fine-tuning")
    )
    bars = [bar.get_height() for bar in visible(figure)[2].patches]
    assert sorted(bars) == pytest.approx(sorted(rows[metric].astype(float)))
    assert panel is visible(figure)[0]
    assert EN.name(metric) in texts(figure)


def test_a_method_without_merged_weights_is_named_not_drawn(odd):
    for name in ("drift_histogram", "drift_heatmap", "drift_comparison", "representation"):
        figure = draw(name, odd)
        assert any("prefix tuning" in text and "merged" in text for text in texts(figure)), name
        assert not any("prefix" in title for title in legend(figure))


def test_the_heatmap_shows_the_change_of_each_matrix_on_one_scale(three):
    figure = plots.plot_drift_heatmap(three, EN, "relative")
    panels = [ax for ax in visible(figure) if ax.collections and ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in panels] == ["full fine-tuning", "LoRA"] * 2
    meshes = [ax.collections[0] for ax in panels]
    assert len({(mesh.norm.vmin, mesh.norm.vmax) for mesh in meshes}) == 1
    rows = three.drift[(three.drift.task == "cola") & (three.drift.method == "lora")]
    cell = rows[(rows.layer == "encoder.layer.2") & (rows.kind == "value")].relative.mean()
    shown = meshes[1].get_array().reshape(4, -1)
    assert shown[2, 2] == pytest.approx(cell)
    assert shown.mask[:, 1].all() and not shown.mask[:, 0].any()  # LoRA leaves the keys alone
    assert not meshes[0].get_array().mask.any()
    assert legend(figure) == ["unchanged"]


def test_the_comparison_is_logarithmic_and_leaves_out_what_has_not_changed(three):
    figure = plots.plot_drift_comparison(three, EN, "relative")
    cola = figure.axes[0]
    assert cola.get_yscale() == "log"
    rows = three.drift[(three.drift.task == "cola") & (three.drift.kind == "all")]
    means = rows[rows.method == "lora"].astype({"relative": float}).groupby("layer").relative.mean()
    drawn = points(cola, color_of("lora"), "s")
    expected = [means[f"encoder.layer.{n}"] for n in range(4)] + [means["classifier"]]
    assert drawn[:, 1].tolist() == pytest.approx(expected)
    assert drawn[:4, 0].tolist() == [1, 2, 3, 4]  # 0 is the embeddings, which LoRA leaves alone
    assert len(points(cola, color_of("frozen"), "^")) == 1  # its head
    assert any("unchanged" in text for text in texts(figure))


def test_an_encoder_with_fewer_layers_has_its_head_beside_the_others():
    study = build_study(("full", "monolingual"), (1,), **SMALL)
    ax = plots.plot_drift_comparison(study, EN).axes[1]
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["emb", "0", "1", "2", "3", "head"]
    drawn = points(ax, color_of("monolingual"), "D")
    assert drawn[:, 0].round().tolist() == [0, 1, 2, 3, 5]


def test_structure_is_the_mean_over_changed_matrices(three):
    axes = np.array(draw("update_structure", three).axes).reshape(2, 3)
    rows = three.structure
    rows = rows[(rows.task == "pos") & (rows.method == "lora") & (rows["rank"] > 0)]
    expected = rows.astype({"effective_rank": float}).groupby("layer").effective_rank.mean()
    drawn = points(axes[1, 0], color_of("lora"), "s")
    assert drawn[:, 1].tolist() == pytest.approx(expected.tolist())
    assert points(axes[1, 1], color_of("lora"), "s")[:, 1].tolist() == [1] * 4
    assert points(axes[1, 2], color_of("lora"), "s")[:, 1].tolist() == [3] * 4
    limits = [line.get_ydata()[0] for line in axes[1, 0].lines if line.get_linestyle() == ":"]
    assert limits == [8]  # LoRA's r


def test_representation_has_a_line_for_each_language(three):
    ax = draw("representation", three).axes[1]
    rows = three.representation
    rows = rows[(rows.task == "pos") & (rows.method == "full")]
    drawn = lines(ax, color_of("full"), "o")
    assert len(drawn) == 2
    for line, language in zip(drawn, ("en", "de"), strict=True):
        means = 1 - rows[rows.language == language].groupby("layer").cka.mean()
        assert np.allclose(line, np.c_[means.index, means])
    assert {"English", "German"} <= set(legend(draw("representation", three)))


def test_equal_traits_make_equal_marks():
    same = {"full": Traits(), "lora": Traits()}
    study = build_study(("full", "lora"), (1, 2), traits=same, **SMALL)
    ax = draw("quality", study, task="cola").axes[0]
    one, other = points(ax, color_of("full"), "o"), points(ax, color_of("lora"), "s")
    assert len(one) == 1 and one[:, 0].tolist() == other[:, 0].tolist()
