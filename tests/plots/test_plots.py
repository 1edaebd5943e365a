import copy
import functools
import itertools
import re
import string
import textwrap
import warnings
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb

import plots
from plots.deferred import Drawing
from plots.drawing import draw_estimate, visible_interval
from plots.lettering import cut_note
from plots.quality import LEAST_RANGE
from plots.style import method_styles
from study.architecture import components
from synthetic_study import Traits, build_study
from words.wording import LANGUAGES, load_wording

SMALL = {"sentences": 120, "words": 500, "resamples": 40}
EN, RU = load_wording("en"), load_wording("ru")
OF_A_TASK = ("quality_and_cost", "memory")
OF_THE_STUDY = tuple(
    name.removeprefix("plot_")
    for name in vars(plots)
    if name.startswith("plot_") and name[5:] not in OF_A_TASK
)


def draw(name, study, words=EN, task="cola"):
    function = getattr(plots, f"plot_{name}")
    drawing = function(study, task, words) if name in OF_A_TASK else function(study, words)
    return drawing.draw()


def titles(figure):
    """Titles of the visible axes without the panel letter and line breaks."""
    found = [ax.get_title(loc="left").replace("\n", " ") for ax in visible(figure)]
    return [re.sub(r"^[a-z]  ", "", title) for title in found]


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
    for task in ("cola", "pos") if name == "memory" else ("cola",):
        figure = draw(name, study, RU if kind == "odd" else EN, task)
        assert figure.get_size_inches()[0] == pytest.approx(6.3)
        if kind == "empty":
            assert texts(figure) == [EN.say("plots", "nothing")]
        else:
            assert sum(ax.has_data() for ax in figure.axes) > 0
            # The alternative text says what the data say: names and values.
            assert re.search(r"\d", figure.get_label()) and len(figure.get_label()) > 60


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
    heads = {ax.get_title(loc="left") for ax in visible(figure)} - {""}
    spans = [t.get_window_extent() for t in figure.findobj(plt.Text) if t.get_text() in heads]
    for one, other in itertools.combinations(spans, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("name", [*OF_A_TASK, *OF_THE_STUDY])
def test_no_text_is_smaller_than_eight_points_nor_a_formula(name, three):
    figure = draw(name, three)
    figure.draw_without_rendering()
    shown = [t for t in figure.findobj(plt.Text) if t.get_visible() and t.get_text().strip()]
    assert len(shown) > 8
    assert min(text.get_fontsize() for text in shown) >= 8
    assert not any("$" in text.get_text() for text in shown)


def test_a_method_has_one_colour_in_all_figures(odd):
    expected = to_hex(method_styles(["novel"])["novel"].color)
    for name, task in (
        ("learning_curves", ""),
        ("quality_and_cost", "cola"),
        ("drift_comparison", ""),
    ):
        figure = draw(name, odd, EN, task)
        assert any(lines(ax, expected) for ax in figure.axes), name


def test_russian_figures_have_a_decimal_comma_and_no_english(three):
    figure = draw("learning_curves", three, RU)
    figure.draw_without_rendering()
    ticks = [text.get_text() for ax in visible(figure) for text in ax.get_yticklabels()]
    assert any("," in tick for tick in ticks) and not any("." in tick for tick in ticks)
    assert "полное дообучение" in legend(figure)
    said = " ".join(texts(figure))
    assert not re.search(r"\b(loss|step|validation|seed)", said)


# ------------------------------------------------------------------------------- learning curves


def test_curves_show_the_mean_the_seeds_and_the_best_step(three):
    figure = draw("learning_curves", three)
    ax = visible(figure)[1]
    assert titles(figure) == ["Loss", "MCC", "Accuracy", "Loss", "Accuracy", "Macro-F1"]
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
    figure = draw("learning_curves", one)
    rows = one.curves[(one.curves.run == "pos-full-seed42") & (one.curves.metric == "loss")]
    rows = rows[rows.split == "validation"]
    best = rows.loc[rows.value.idxmin()]
    assert best.step < rows.step.max()  # or the test would not tell lowest from last
    ax = visible(figure)[3]
    assert points(ax, color_of("full"), "o").tolist() == [[best.step, pytest.approx(best.value)]]
    assert not ax.collections  # one seed has no band
    training = one.curves[(one.curves.run == "pos-full-seed42") & (one.curves.split == "train")]
    drawn = lines(ax, color_of("full"), "None")
    assert any(
        np.allclose(line[:, 1], training.value) for line in drawn if len(line) == len(training)
    )
    assert "range of the seeds" not in legend(figure)


def test_curves_by_time_end_at_the_training_time(three):
    figure = draw("learning_curves_by_time", three)
    assert titles(figure) == ["CoLA, MCC", "POS tagging, accuracy"]
    for ax, task in zip(visible(figure), ("cola", "pos"), strict=True):
        runs = three.runs[three.runs.task == task].groupby("method").training_seconds.mean()
        for method in ("full", "lora", "frozen"):
            ends = [line[-1, 0] for line in lines(ax, color_of(method), "None")]
            assert ends and ends == pytest.approx([runs[method]] * len(ends))


# ----------------------------------------------------------------------------------------- costs


def test_costs_are_medians_with_the_ratio_to_the_first_method(three):
    figure = draw("quality_and_cost", three)
    time, memory = visible(figure)[3:]
    runs = three.runs[three.runs.task == "cola"]
    medians = runs.groupby("method", sort=False).training_seconds.median()
    assert [bar.get_width() for bar in time.patches] == pytest.approx(medians.tolist())
    ratio = EN.number(medians["lora"] / medians["full"], 2)
    labels = [text.get_text() for text in time.texts]
    assert labels[0] == EN.duration(medians["full"]) and labels[1].endswith(f"(×{ratio})")
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
    figure = draw("quality_and_cost", three)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "full fine-tuning",
        "LoRA",
        "frozen encoder",
        "majority class",
    ]
    assert titles(figure) == ["MCC", "Accuracy", "Macro-F1", "Training time", "Peak memory"]
    ax = figure.axes[1]
    estimate = three.evidence["cola"]["methods"]["lora"]["metrics"]["accuracy"]
    marks = points(ax, color_of("lora"), "s")
    assert marks.tolist() == [[pytest.approx(estimate["value"]), 1]]
    spans = [line[:, 0].tolist() for line in lines(ax, color_of("lora"), "None")]
    assert list(visible_interval(estimate)) in spans
    assert [estimate["low_items"], estimate["high_items"]] in spans
    seeds = [line[:, 0].tolist() for line in lines(ax, marker="o") if len(line) == 3]
    assert estimate["per_seed"] in seeds
    assert EN.percent(estimate["value"]) in [text.get_text() for text in ax.texts]
    assert ax.get_xlim()[1] - ax.get_xlim()[0] >= LEAST_RANGE  # small differences look small
    assert f"LoRA {EN.percent(estimate['value'])}" in figure.get_label()


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
    figure = draw("quality_and_cost", one)
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
    everything = ["By source", "By length (words)", "By gold label", "By phenomenon"]
    assert sorted(titles(draw("acceptability_errors", three))) == sorted(everything)
    assert titles(draw("acceptability_errors", odd)) == everything[:3]


def test_errors_show_the_accuracy_of_each_group(three):
    axes = {ax.get_title(loc="left"): ax for ax in visible(draw("acceptability_errors", three))}
    ax = axes["By phenomenon"]
    rows = three.evidence["cola"]["methods"]["full"]["groups"]["by_phenomenon"]
    assert len(rows) == 3
    drawn = points(ax, color_of("full"), "o")[:, 0].tolist()
    assert drawn == pytest.approx([row["accuracy"]["value"] for row in rows])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [f"{EN.name(row['group'])} ({row['items']})" for row in rows]


# -------------------------------------------------------------------------------------- transfer


def test_tags_stand_in_the_order_of_the_drop_with_both_accuracies(three):
    ax = draw("tag_transfer", three).axes[0]
    order = [label.get_text() for label in ax.get_yticklabels()]
    entry = three.evidence["pos"]["methods"]["full"]["transfer"]["de_syn:test"]["groups"]["by_tag"]
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
    assert titles(figure) == ["full fine-tuning", "LoRA", "novel"] * 3


def test_tagging_shows_both_accuracies_the_drop_and_the_largest_kinds(three):
    figure = draw("tagging", three)
    accuracy, drop, kinds = figure.axes
    entry = three.evidence["pos"]["methods"]["lora"]
    both = [entry["evaluations"][n]["metrics"]["accuracy"]["value"] for n in entry["evaluations"]]
    assert set(points(accuracy, color_of("lora"), "s")[:, 0]) == set(both)
    hollow = [x for x in accuracy.lines if x.get_markerfacecolor() == "#ffffff"]
    assert both[0] in [line.get_xdata()[0] for line in hollow]
    transfer = entry["transfer"]["de_syn:test"]
    assert points(drop, color_of("lora"), "s")[0, 0] == pytest.approx(transfer["drop"]["value"])
    labels = [label.get_text().replace("\n", " ") for label in kinds.get_yticklabels()]
    assert labels[-1] == "all other errors" and len(labels) == 7
    drawn = points(kinds, color_of("lora"), "s")
    values = {EN.name(c["cause"]): c["points"]["value"] for c in transfer["causes"]}
    rows = np.round(drawn[:, 1]).astype(int)
    assert [values[labels[row]] for row in rows] == pytest.approx(drawn[:, 0].tolist())


def test_values_of_source_and_target_never_meet(three):
    figure = draw("tagging", three)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 8
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_the_breakdown_has_a_row_for_every_evaluated_set(odd):
    figure = draw("transfer_breakdown", odd)
    axes = np.array(figure.axes).reshape(4, 3)
    assert [row[0].get_ylabel().split("\n")[0] for row in axes] == [
        "English",
        "German",
        "French",
        "Czech",
    ]
    rows = odd.evidence["pos"]["methods"]["lora"]["evaluations"]["fr_syn:test"]["groups"]["by_seen"]
    drawn = points(axes[2, 0], color_of("lora"), "s")[:, 1]
    assert drawn.tolist() == pytest.approx([row["accuracy"]["value"] for row in rows])
    labels = [label.get_text() for label in axes[2, 0].get_xticklabels()]
    wrapped = [textwrap.fill(EN.name(row["group"]), 10) for row in rows]
    shares = [EN.percent(row["share"], 0) for row in rows]
    assert labels == [f"{name}\n{share}" for name, share in zip(wrapped, shares, strict=True)]


def test_confusions_are_shares_of_their_rows(three):
    figure = draw("confusion", three)
    panels = [ax for ax in figure.axes if ax.collections and ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in panels] == ["full fine-tuning", "LoRA"]
    evidence = three.evidence["pos"]
    table = np.array(evidence["methods"]["full"]["evaluations"]["de_syn:test"]["confusion"])
    used = [label.get_text() for label in panels[0].get_yticklabels()]
    places = [evidence["tags"].index(tag) for tag in used]
    shown = np.ma.filled(panels[0].collections[0].get_array(), np.nan)
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
    assert written[name + 0.5, noun + 0.5] == f"{100 * shown[noun, name]:.0f}"


# ----------------------------------------------------------------------------------------- drift


def test_the_histogram_has_a_bar_for_every_layer_and_method_on_one_scale(three):
    figure = plots.plot_drift_histogram(three, EN, "l2").draw()
    cola, pos = visible(figure)
    assert titles(figure) == ["CoLA", "POS tagging"] and cola.get_ylim() == pos.get_ylim()
    labels = cola.get_xticklabels()
    assert [text.get_text() for text in labels] == ["emb", "0", "1", "2", "3", "pooler", "head"]
    order = ["embeddings", *(f"encoder.layer.{n}" for n in range(4)), "pooler", "classifier"]
    bold = [text.get_fontweight() == "bold" for text in labels]
    assert bold == [layer in components(4).values() for layer in order]
    for method in ("full", "lora"):
        rows = three.drift[(three.drift.task == "cola") & (three.drift.method == method)]
        means = rows[rows.kind == "all"].groupby("layer").l2.mean()
        bars = [bar for bar in cola.patches if to_hex(bar.get_facecolor()) == color_of(method)]
        heights = [bar.get_height() for bar in bars if bar.get_width()]
        assert heights == pytest.approx(means[order].tolist())
        assert f"CoLA: {EN.name(method)}" in figure.get_label()
    assert any("frozen encoder" in text and "head" in text for text in texts(figure))


@pytest.mark.parametrize("metric", ["l2", "relative", "rms"])
def test_the_metric_of_the_histogram_can_be_chosen(metric, one):
    figure = plots.plot_drift_histogram(one, EN, metric).draw()
    rows = one.drift[(one.drift.run == "pos-full-seed42") & (one.drift.kind == "all")]
    patches = visible(figure)[1].patches
    bars = [bar for bar in patches if to_hex(bar.get_facecolor()) == color_of("full")]
    heights = [bar.get_height() for bar in bars if bar.get_width()]
    assert sorted(heights) == pytest.approx(sorted(rows[metric].astype(float)))
    label = visible(figure)[0].get_ylabel().replace("\n", " ")
    assert label == EN.name(metric)


def test_a_method_without_merged_weights_is_named_not_drawn(odd):
    for name in ("drift_histogram", "drift_heatmap", "drift_comparison", "representation"):
        figure = draw(name, odd)
        assert any("prefix tuning" in text and "merged" in text for text in texts(figure)), name
        assert not any("prefix" in title for title in legend(figure))


def test_the_heatmap_shows_the_change_of_each_matrix_on_one_scale(three):
    figure = plots.plot_drift_heatmap(three, EN, "relative").draw()
    panels = [ax for ax in visible(figure) if ax.collections and ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in panels] == ["full fine-tuning", "LoRA"] * 2
    meshes = [ax.collections[0] for ax in panels]
    assert len({(mesh.norm.vmin, mesh.norm.vmax) for mesh in meshes}) == 1
    rows = three.drift[(three.drift.task == "cola") & (three.drift.method == "lora")]
    cell = rows[(rows.layer == "encoder.layer.2") & (rows.kind == "value")].relative.mean()
    shown = meshes[1].get_array().reshape(4, -1)
    assert shown[1, 2] == pytest.approx(cell)  # the last layer is on top
    assert shown.mask[:, 1].all() and not shown.mask[:, 0].any()  # LoRA leaves the keys alone
    assert not meshes[0].get_array().mask.any()
    assert legend(figure) == ["unchanged"]


def test_the_comparison_is_linear_with_the_head_apart(three):
    figure = plots.plot_drift_comparison(three, EN, "relative").draw()
    cola, apart = figure.axes[:2]
    assert cola.get_yscale() == apart.get_yscale() == "linear"
    rows = three.drift[(three.drift.task == "cola") & (three.drift.kind == "all")]
    means = rows[rows.method == "lora"].astype({"relative": float}).groupby("layer").relative.mean()
    drawn = points(cola, color_of("lora"), "s")
    assert drawn[:, 1].tolist() == pytest.approx([means[f"encoder.layer.{n}"] for n in range(4)])
    assert drawn[:, 0].tolist() == [1, 2, 3, 4]  # 0 is the embeddings, which LoRA leaves alone
    assert points(apart, color_of("lora"), "s")[:, 1] == pytest.approx([means["classifier"]])
    assert not len(points(cola, color_of("frozen"), "^"))
    assert len(points(apart, color_of("frozen"), "^")) == 1  # its head
    assert cola.get_ylim()[0] == apart.get_ylim()[0] == 0
    assert any("unchanged" in text for text in texts(figure))


def test_an_encoder_with_fewer_layers_has_its_head_beside_the_others():
    study = build_study(("full", "monolingual"), (1,), **SMALL)
    axes = plots.plot_drift_comparison(study, EN).draw().axes[2:]
    labels = [[label.get_text() for label in ax.get_xticklabels()] for ax in axes]
    assert labels == [["emb", "0", "1", "2", "3"], ["head"]]
    drawn = [points(ax, color_of("monolingual"), "D")[:, 0].round().tolist() for ax in axes]
    assert drawn == [[0, 1, 2, 3], [0]]


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
    ax = draw("quality_and_cost", study).axes[0]
    one, other = points(ax, color_of("full"), "o"), points(ax, color_of("lora"), "s")
    assert len(one) == 1 and one[:, 0].tolist() == other[:, 0].tolist()


# -------------------------------------------------------------------------------------- identity


def test_a_drawing_is_known_by_what_decides_the_picture(one):
    same = [plots.plot_memory(one, "cola", EN).identity for _ in range(2)]
    assert same[0] == same[1]
    others = [
        plots.plot_memory(one, "pos", EN),
        plots.plot_memory(one, "cola", RU),
        plots.plot_quality_and_cost(one, "cola", EN),
        plots.plot_memory(replace(one, runs=one.runs.assign(peak_memory_bytes=1)), "cola", EN),
    ]
    assert len({drawing.identity for drawing in others} | {same[0]}) == 5


def test_a_changed_cell_of_the_evidence_is_another_picture(one):
    evidence = copy.deepcopy(one.evidence)
    evidence["cola"]["methods"]["full"]["metrics"]["accuracy"]["value"] += 1e-9
    changed = plots.plot_quality_and_cost(replace(one, evidence=evidence), "cola", EN)
    assert isinstance(changed, Drawing)
    assert changed.identity != plots.plot_quality_and_cost(one, "cola", EN).identity
