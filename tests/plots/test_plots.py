"""Figures show the facts: values, intervals, orders; every tick says where it stands."""

import functools
import itertools
import re
import string
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import plots
from facts.fact import Fact
from plots.acceptability import LEAST_RANGE
from plots.context import Context
from plots.style import UNCHANGED, method_styles, report_style
from store.results import Results
from study.layers import components
from synthetic_experiments import study_with_experiments
from synthetic_study import Traits, build_study
from words.wording import LANGUAGES, Wording, load_wording

SMALL: Any = {"sentences": 120, "words": 500, "resamples": 40}
EN, RU = load_wording("en"), load_wording("ru")
NAMES = tuple(name.removeprefix("plot_") for name in vars(plots) if name.startswith("plot_"))
TRIED = ("rates", "shares", "specifications")  # figures of experiments


def draw(name: str, study: Results, words: Wording = EN) -> Figure:
    """A figure in the report's style; drawn once, so do not change it.

    The studies of these tests have made no experiments: figures of those are drawn of one that has.
    """
    if name in TRIED and study.runs:
        study = study_with_experiments()
    return _draw(name, study, words.language)


@functools.cache
def _draw(name: str, study: Results, language: str) -> Figure:
    words = {"en": EN, "ru": RU}[language]
    with report_style(**{"figure.max_open_warning": 0}):
        figure: Figure = getattr(plots, f"plot_{name}")(study, words)
        figure.draw_without_rendering()
    return figure


@pytest.fixture(autouse=True, scope="module")
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")
    _draw.cache_clear()


@pytest.fixture(scope="module")
def three() -> Results:
    return build_study(("full", "lora", "frozen"), (42, 43, 44), **SMALL)


@pytest.fixture(scope="module")
def one() -> Results:
    return build_study(("full", "lora"), (42,), **SMALL)


@pytest.fixture(scope="module")
def odd() -> Results:
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
def empty() -> Results:
    runs = [f"{t}-full-seed42" for t in ("cola", "pos")]
    return build_study(("full",), (42,), missing=runs, **SMALL)


def visible(figure: Figure) -> list[Axes]:
    return [ax for ax in figure.axes if ax.axison]


def titles(figure: Figure) -> list[str]:
    """Titles of the visible axes without the panel letter and line breaks."""
    found = [ax.get_title(loc="left").replace("\n", " ") for ax in visible(figure)]
    return [re.sub(r"^[a-z]  ", "", title) for title in found]


def panel(figure: Figure, letter: str) -> Axes:
    return next(a for a in figure.axes if a.get_title(loc="left").startswith(f"{letter}  "))


def color_of(method: str) -> str:
    return to_hex(method_styles([])[method].color)


def drawn(ax: Axes, method: str, label: str) -> list[np.ndarray]:
    """What was drawn of a method under a label, as arrays (points, 2)."""
    return [
        np.asarray(line.get_xydata())
        for line in ax.lines
        if line.get_label() == label and to_hex(line.get_color()) == color_of(method)
    ]


def rows_of(ax: Axes) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for text in figure.findobj(plt.Text) if text.get_visible()]  # type: ignore[attr-defined]
    return [text for text in found if text.strip()]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for box in figure.legends for text in box.get_texts()]


# ----------------------------------------------------------------------------------------- ticks


def number(label: str) -> float:
    plain = re.sub(r"[\u202f\u00a0%]", "", label).replace("\u2212", "-").replace(",", ".")
    return float(plain)


def shown_ticks(axis: Axis) -> list[tuple[Any, float]]:
    """Labels of the ticks in view, with their places."""
    low, high = sorted(axis.get_view_interval())
    pairs = [(tick.label1, tick.get_loc()) for tick in axis.get_major_ticks()]
    shown = [(label, place) for label, place in pairs if label.get_text() and label.get_visible()]
    return [(label, place) for label, place in shown if low <= place <= high]


def wrong_ticks(axis: Axis) -> list[str] | None:
    """Labels that are not where they stand, as they are or in hundredths; None: no numbers."""
    formatter: Any = axis.get_major_formatter()
    if isinstance(getattr(formatter, "func", None), functools.partial):
        return None  # names that were given with their places
    pairs = [(label.get_text(), place) for label, place in shown_ticks(axis)]
    if not pairs:
        return None
    percent = any("%" in text for text, _ in pairs)
    ways = [
        [t for t, place in pairs if not np.isclose(number(t), scale * place, rtol=1e-9, atol=1e-9)]
        for scale in ((100,) if percent else (1, 100))
    ]
    return min(ways, key=len)


@pytest.mark.parametrize("words", [EN, RU], ids=["en", "ru"])
def test_every_tick_says_where_it_stands(words: Wording, three: Results, odd: Results) -> None:
    seen = 0
    for name, study in itertools.product(NAMES, (three, odd) if words is RU else (three,)):
        figure = draw(name, study, words)
        axes = [a for ax in visible(figure) for a in (ax, *ax.child_axes)]
        for axis in (axis for ax in axes for axis in (ax.xaxis, ax.yaxis)):
            wrong = wrong_ticks(axis)
            seen += wrong is not None
            assert not wrong, (name, wrong)
    assert seen > 60


def test_a_rounded_tick_is_found() -> None:
    ax = plt.subplots()[1]
    ax.set_xticks([0, 0.015, 0.03])
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert wrong_ticks(ax.xaxis) == ["2"]


# ------------------------------------------------------------------------------------ all figures


@functools.cache
def _catalogue(language: str) -> dict[str, str]:
    return dict(load_wording(language).texts["plots"])


def test_all_languages_have_the_same_keys_with_the_same_placeholders() -> None:
    def fields(template: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(template) if field}

    english = _catalogue("en")
    assert len(english) > 40
    for language in LANGUAGES:
        other = _catalogue(language)
        assert set(other) == set(english)
        assert all(fields(text) == fields(english[key]) for key, text in other.items())


def test_every_text_is_said_and_every_key_is_written() -> None:
    folder = Path(plots.__file__).parent
    code = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    said = set(re.findall(r'\.say\(\s*"(\w+)"', code)) - {"plots", "changes"}
    assert len(said) > 25 and said <= _catalogue("en").keys()
    stems = ("by_", "layer_", "training_")  # made from the name of what is shown
    assert not {k for k in _catalogue("en") if f'"{k}"' not in code and not k.startswith(stems)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["one", "odd", "empty"])
def test_every_figure_of_every_study_can_be_made(
    name: str, kind: str, request: pytest.FixtureRequest
) -> None:
    figure = draw(name, request.getfixturevalue(kind), RU if kind == "odd" else EN)
    assert figure.get_size_inches()[0] == pytest.approx(6.3)
    said = str(figure.get_label())
    if kind == "empty":
        assert texts(figure) == [said] == [EN.say("plots", "nothing")]
    else:
        assert sum(ax.has_data() for ax in figure.axes) > 0
        # The alternative text says what the data say: names and values.
        assert re.search(r"\d", said) and len(said) > 60 and "]{" not in said


@pytest.mark.parametrize(
    ("name", "words"),
    [(n, w) for n in NAMES for w in (EN, RU)],
    ids=lambda x: getattr(x, "language", x),
)
def test_nothing_is_cut_off_squeezed_or_collides(name: str, words: Wording, three: Results) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # constrained layout warns where axes collapse
        figure = draw(name, three, words)
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 > -0.02 and box.x1 < width + 0.02
    assert box.y0 > -0.02 and box.y1 < height + 0.02
    shown = [t for t in figure.findobj(plt.Text) if t.get_visible() and t.get_text().strip()]  # type: ignore[attr-defined]
    assert len(shown) > 8 and min(text.get_fontsize() for text in shown) >= 8
    assert not any("$" in text.get_text() for text in shown)
    heads = {ax.get_title(loc="left") for ax in visible(figure)} - {""}
    together = [[t for t in shown if t.get_text() in heads]]
    axes = [a for ax in visible(figure) for a in (ax, *ax.child_axes)]
    together += [[t for axis in (a.xaxis, a.yaxis) for t, _ in shown_ticks(axis)] for a in axes]
    together += [[ax.xaxis.label for ax in visible(figure) if ax.get_xlabel()]]
    for texts_of in together:
        boxes = [t.get_window_extent() for t in texts_of if t.get_text() and t.get_visible()]
        for a, b in itertools.combinations(boxes, 2):
            assert not a.shrunk(0.98, 0.9).overlaps(b.shrunk(0.98, 0.9)), name


def test_a_method_has_one_colour_in_all_figures(odd: Results) -> None:
    expected = to_hex(method_styles(["novel"])["novel"].color)
    for name in ("learning_curves", "quality", "drift", "tag_transfer"):
        lines = [line for ax in draw(name, odd).axes for line in ax.lines]
        assert any(to_hex(line.get_color()) == expected for line in lines), name


def test_russian_figures_have_a_decimal_comma_and_no_english(three: Results) -> None:
    figure = draw("learning_curves", three, RU)
    ticks = [text.get_text() for ax in visible(figure) for text in ax.get_yticklabels()]
    assert any("," in tick for tick in ticks) and not any("." in tick for tick in ticks)
    assert "полное дообучение" in legend(figure)
    assert not re.search(r"\b(loss|step|validation|seed)", " ".join(texts(figure)))


def test_the_legend_has_what_is_drawn_and_nothing_else(one: Results, three: Results) -> None:
    margin = EN.say("plots", "margin")
    assert legend(draw("quality", one)) == [EN.say("plots", "items"), margin]
    several = legend(draw("quality", three))
    assert EN.say("plots", "items_and_seeds") in several and EN.say("plots", "one_seed") in several
    assert EN.say("plots", "band") not in legend(draw("learning_curves", one))


# --------------------------------------------------------------------------------------- quality


def test_quality_shows_estimates_and_paired_differences(three: Results) -> None:
    figure = draw("quality", three)
    assert titles(figure)[:2] == ["MCC", "Accuracy"]
    ax, difference = panel(figure, "b"), panel(figure, "d")
    where: Any = {"task": "cola", "evaluation": "cola:validation", "metric": "accuracy"}
    fact = three.facts.one("score", method="lora", **where)
    assert rows_of(panel(figure, "a"))[:3] == ["full fine-tuning", "LoRA", "frozen encoder"]
    assert [p.tolist() for p in drawn(ax, "lora", "_estimate")] == [[[fact.value, 1]]]
    assert [p[:, 0].tolist() for p in drawn(ax, "lora", f"_{fact.covers}")] == [
        [fact.low, fact.high]
    ]
    assert ax.get_xlim()[1] - ax.get_xlim()[0] >= LEAST_RANGE  # small differences look small
    assert f"LoRA {EN.percent(fact.value)} [" in str(figure.get_label())
    paired = three.facts.difference(method="full", against="lora", **where)
    mark = next(line for line in difference.lines if line.get_label() == "_estimate")
    assert np.asarray(mark.get_xdata()).tolist() == [paired.value]
    assert rows_of(panel(figure, "c")) == ["LoRA"]
    assert "full fine-tuning" in difference.get_xlabel()
    margin = three.profile.tasks["cola"].margins.accuracy
    band = next(p for p in difference.patches if p.get_label() == "_margin")
    assert band.get_extents().transformed(difference.transData.inverted()).width == pytest.approx(
        2 * margin
    )
    seeds = [p[:, 0].tolist() for p in _dots(ax)]
    assert Context(three, EN).of_seeds(fact) in seeds and len(seeds[0]) == 3


def _dots(ax: Axes) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata()) for line in ax.lines if line.get_label() == "_one seed"]


def test_equal_traits_make_equal_marks() -> None:
    same = {"full": Traits(), "lora": Traits()}
    study = build_study(("full", "lora"), (1, 2), traits=same, **SMALL)
    ax = panel(draw("quality", study), "a")
    marks = [drawn(ax, method, "_estimate")[0] for method in ("full", "lora")]
    assert marks[0][:, 0].tolist() == marks[1][:, 0].tolist()


def test_errors_have_a_panel_for_every_division_that_there_is(three: Results, odd: Results) -> None:
    figure = draw("acceptability_errors", three)
    everything = ["By source", "By length (words)", "By gold label", "By phenomenon"]
    assert sorted(titles(figure)) == sorted(everything)
    assert titles(draw("acceptability_errors", odd)) == everything[:3]
    ax = next(ax for ax in figure.axes if ax.get_title(loc="left") == "By phenomenon")
    facts = _scores(three, "cola", "full", grouping="by_phenomenon", metric="accuracy")
    marks = [mark[0, 0] for mark in drawn(ax, "full", "_estimate")]
    assert len(facts) == 3 and marks == [fact.value for fact in facts]
    assert rows_of(ax) == [f"{EN.name(fact.group)} ({fact.n})" for fact in facts]


def _scores(study: Results, task: str, method: str, **where: Any) -> list[Fact]:
    facts = study.facts.where(quantity="score", task=task, method=method, seed=None, **where)
    return [fact for fact in facts if fact.n]


# --------------------------------------------------------------------------------------- tagging


def test_tagging_shows_accuracies_drop_differences_and_the_largest_kinds(three: Results) -> None:
    figure = draw("tagging", three)
    accuracy, drop, kinds, difference = (panel(figure, letter) for letter in "abcd")
    where: Any = {"task": "pos", "evaluation": "de_syn:test"}
    ends = [
        three.facts.one("score", task="pos", method="lora", evaluation=e, metric="accuracy").value
        for e in ("en_syn:validation", "de_syn:test")
    ]
    assert [m[0, 0] for m in drawn(accuracy, "lora", "_estimate")] == ends
    hollow = [line for line in accuracy.lines if line.get_label() == "_source"]
    assert ends[0] in [np.asarray(line.get_xdata())[0] for line in hollow]
    fallen = three.facts.one("drop", method="lora", metric="accuracy", **where).value
    assert drawn(drop, "lora", "_estimate")[0][0, 0] == fallen
    boxes = [text.get_window_extent() for text in accuracy.texts]
    assert len(boxes) == 8
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert rows_of(kinds)[-1] == "all other errors" and len(rows_of(kinds)) == 7
    causes = three.facts.where(quantity="contribution", method="lora", seed=None, **where)
    values = {EN.name(fact.cause): fact.value for fact in causes if fact.cause}
    marks = np.concatenate(drawn(kinds, "lora", "_estimate"))
    assert [values[rows_of(kinds)[round(y)]] for _, y in marks] == marks[:, 0].tolist()
    shown = [
        three.facts.difference(
            method="full", against="lora", task="pos", evaluation=evaluation, metric=metric
        ).value
        for evaluation, metric in (
            ("en_syn:validation", "accuracy"),
            ("de_syn:test", "accuracy"),
            ("de_syn:test", "drop"),
        )
    ]
    estimates = [line for line in difference.lines if line.get_label() == "_estimate"]
    assert [np.asarray(line.get_xdata())[0] for line in estimates] == shown
    assert rows_of(difference) == ["LoRA, English", "LoRA, German", "LoRA, drop"]


def test_tags_stand_in_the_order_of_the_drop_with_both_accuracies(three: Results) -> None:
    ax = draw("tag_transfer", three).axes[0]
    order = rows_of(ax)
    where: Any = {"task": "pos", "method": "full", "metric": "accuracy"}
    drops = [three.facts.one("drop", tag=t, evaluation="de_syn:test", **where).value for t in order]
    assert len(order) > 10 and drops == sorted(drops, key=lambda drop: -(drop or 0.0))
    assert {"SYM", "INTJ"}.isdisjoint(order)  # words that no set has
    for label, evaluation in (("_source", "en_syn:validation"), ("_target", "de_syn:test")):
        facts = [three.facts.one("score", tag=t, evaluation=evaluation, **where) for t in order]
        assert [m[0, 0] for m in drawn(ax, "full", label)] == [fact.value for fact in facts]


def test_panels_of_tags_fill_their_rows(odd: Results) -> None:
    # prefix has no run of this task; full lacks one seed, not all
    assert titles(draw("tag_transfer", odd)) == ["full fine-tuning", "LoRA", "novel"] * 3
    five = build_study(("full", "lora", "frozen", "monolingual", "novel"), (1,), **SMALL)
    figure = draw("tag_transfer", five)
    assert [ax.axison for ax in figure.axes] == [True] * 5 + [False]
    four = build_study(("full", "lora", "frozen", "monolingual"), (1,), **SMALL)
    assert len(draw("tag_transfer", four).axes) == 4


def test_confusions_are_shares_of_their_rows(three: Results) -> None:
    figure = draw("confusion", three)
    panels = [ax for ax in figure.axes if ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in panels] == ["full fine-tuning", "LoRA"]
    where: Any = {"task": "pos", "method": "full", "evaluation": "de_syn:test"}
    counts = three.facts.where(quantity="confusion", tag="NOUN", **where)
    total = sum(counts.values())
    used = rows_of(panels[0])
    shown = np.ma.filled(panels[0].collections[0].get_array(), np.nan)
    row = shown[used.index("NOUN")]
    assert row.sum() == pytest.approx(1) and np.nansum(shown, axis=1) == pytest.approx(1, abs=1)
    propn = three.facts.one("confusion", tag="NOUN", predicted="PROPN", **where).value
    assert propn is not None and propn / total > 0.05
    assert row[used.index("PROPN")] == pytest.approx(propn / total)
    written = {text.get_position(): text.get_text() for text in panels[0].texts}
    place = (used.index("PROPN") + 0.5, used.index("NOUN") + 0.5)
    assert written[place] == f"{100 * propn / total:.0f}"


# ------------------------------------------------------------------------------- learning curves


def test_curves_show_the_mean_the_seeds_the_best_point_and_the_end(three: Results) -> None:
    figure = draw("learning_curves", three)
    ax = panel(figure, "b")
    assert titles(figure)[:3] == ["Loss", "MCC", "Accuracy"]
    where: Any = {"task": "cola", "method": "full", "split": "validation"}
    facts = three.facts.where(quantity="curve", metric="matthews_correlation", **where)
    points: dict[float, list[float]] = {}
    for fact in facts:
        points.setdefault(fact.epoch or 0.0, []).append(fact.value or 0.0)
    mean = np.array([[x, np.mean(values)] for x, values in points.items()])
    assert np.allclose(drawn(ax, "full", "_mean")[0], mean) and len(mean) > 10
    assert len(drawn(ax, "full", "_seed")) == 3 and len(ax.collections) == 3  # a band a method
    assert np.allclose(drawn(ax, "full", "_best")[0], mean[mean[:, 1].argmax()])
    end = three.profile.tasks["cola"].method("full").training.num_train_epochs
    ends = [line for line in ax.lines if line.get_label() == "_end"]
    assert [np.asarray(line.get_xdata())[0] for line in ends] == [end]
    steps = ax.child_axes[0]  # the same axis, counted in steps
    assert steps.get_xlim() == pytest.approx(20 * np.array(ax.get_xlim()))
    losses = [panel(figure, letter) for letter in "ad"]
    assert all(drawn(ax, "full", "_train") for ax in losses)


def test_a_fraction_near_one_is_shown_as_errors_on_a_logarithmic_axis(three: Results) -> None:
    figure = draw("learning_curves", three)
    accuracy = panel(figure, "e")
    assert accuracy.get_yscale() == "log" and "1 \u2212 accuracy" in titles(figure)
    last = drawn(accuracy, "full", "_mean")[0][-1, 1]
    facts = three.facts.where(quantity="curve", task="pos", method="full", metric="accuracy")
    final = max(fact.step or 0 for fact in facts)
    assert last == pytest.approx(1 - np.mean([f.value for f in facts if f.step == final]))
    assert panel(figure, "b").get_yscale() == "linear"


# ----------------------------------------------------------------------------------------- drift


def test_drift_shows_every_layer_above_and_depth_below(three: Results) -> None:
    figure = draw("drift", three)
    bars, depth = panel(figure, "a"), panel(figure, "c")
    order = ["embeddings", *(f"encoder.layer.{n}" for n in range(4)), "pooler", "classifier"]
    labels = bars.get_xticklabels()
    assert [t.get_text() for t in labels] == ["emb", "0", "1", "2", "3", "pooler", "head"]
    bold = [text.get_fontweight() == "bold" for text in labels]
    assert bold == [layer in components(4).values() for layer in order]

    def distance(method: str, layer: str, metric: str) -> float | None:
        where: Any = {"task": "cola", "method": method, "kind": "all"}
        return three.facts.one("distance", layer=layer, metric=metric, **where).value

    for method in ("full", "lora"):
        heights = [
            b.get_height() for b in bars.patches if to_hex(b.get_facecolor()) == color_of(method)
        ]  # type: ignore[attr-defined]
        assert heights == [distance(method, layer, "l2") for layer in order]
    inner = drawn(depth, "lora", "_mean")[0]
    assert inner[:, 1].tolist() == [distance("lora", layer, "relative") for layer in order[1:5]]
    assert inner[:, 0].tolist() == [0.25, 0.5, 0.75, 1]  # 0 is the embeddings, left alone
    assert drawn(depth, "full", "_mean")[0][0, 0] == 0
    apart = next(
        ax
        for ax in figure.axes
        if [t.get_text() for t in ax.get_xticklabels()] == ["pooler", "head"]
    )
    assert apart.get_ylim()[0] == depth.get_ylim()[0] == 0
    assert len(drawn(apart, "frozen", "_mean")) == 1 and not drawn(depth, "frozen", "_mean")
    said = " ".join(texts(figure)).replace("\n", " ")
    assert "unchanged" in said and "CoLA: frozen encoder" in said


def test_encoders_with_different_numbers_of_layers_share_the_depth() -> None:
    study = build_study(("full", "monolingual"), (1,), **SMALL)
    figure = draw("drift", study)
    depths = {m: drawn(panel(figure, "d"), m, "_mean")[0][:, 0] for m in ("full", "monolingual")}
    assert depths["full"] == pytest.approx([0, 1 / 4, 2 / 4, 3 / 4, 1])
    assert depths["monolingual"] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert "pooler" not in " ".join(t for t in texts(draw("drift", _without_pooler())))


def _without_pooler() -> Results:
    return build_study(
        ("full",), (1,), missing=("cola-full-seed1",), **SMALL
    )  # tagging has no pooler


def test_a_method_without_merged_weights_is_named_not_drawn(odd: Results) -> None:
    for name in ("drift_heatmap", "drift", "representation"):
        figure = draw(name, odd)
        assert any("prefix tuning" in text and "merged" in text for text in texts(figure)), name
        assert not any("prefix" in title for title in legend(figure))


def test_the_heatmap_shows_the_change_of_each_matrix_and_grey_where_there_is_none(
    three: Results,
) -> None:
    figure = draw("drift_heatmap", three)
    panels = [ax for ax in visible(figure) if ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in panels] == ["full fine-tuning", "LoRA"] * 2
    meshes = [ax.collections[0] for ax in panels]
    assert len({(mesh.norm.vmin, mesh.norm.vmax) for mesh in meshes}) == 1
    where: Any = {"task": "cola", "method": "lora", "metric": "relative"}
    cell = three.facts.one(
        "distance", layer="encoder.layer.2", kind="attention.self.value", **where
    ).value
    shown: Any = meshes[1].get_array()
    assert shown.reshape(4, -1)[1, 2] == cell  # the last layer is on top
    assert shown.reshape(4, -1).mask[:, 1].all()  # LoRA leaves the keys alone
    colors = {to_hex(color) for color in meshes[1].get_facecolors()[1 :: shown.shape[-1]]}
    assert colors == {UNCHANGED}  # painted: the paper behind a figure is left out of its file
    assert legend(figure) == ["unchanged"]


def test_structure_is_the_mean_over_changed_matrices(three: Results) -> None:
    axes = np.array(draw("update_structure", three).axes).reshape(2, 3)
    facts = three.facts.where(quantity="spectrum", task="pos", method="lora", seed=(42, 43, 44))
    layers = [f"encoder.layer.{n}" for n in range(4)]
    changed = [f for f in facts if f.metric == "effective_rank" and f.value is not None]
    expected = [np.mean([f.value for f in changed if f.layer == layer]) for layer in layers]
    assert drawn(axes[1, 0], "lora", "_mean")[0][:, 1] == pytest.approx(expected)
    assert drawn(axes[1, 1], "lora", "_mean")[0][:, 1].tolist() == [1] * 4
    assert drawn(axes[1, 2], "lora", "_mean")[0][:, 1].tolist() == [3] * 4
    limits = [line.get_ydata()[0] for line in axes[1, 0].lines if line.get_label() == "_rank"]
    assert limits == [8]  # LoRA's r


def test_representation_has_a_line_for_each_language(three: Results) -> None:
    figure = draw("representation", three)
    found = drawn(panel(figure, "b"), "full", "_mean")
    assert len(found) == 2
    for line, evaluation in zip(found, ("en_syn:validation", "de_syn:test"), strict=True):
        where: Any = {"task": "pos", "method": "full", "evaluation": evaluation, "metric": "cka"}
        facts = [three.facts.one("similarity", layer=str(n), **where) for n in range(5)]
        assert np.allclose(line, [[n, 1 - (f.value or 0)] for n, f in enumerate(facts)])
    assert {"English", "German"} <= set(legend(figure))
    assert figure.axes[0].get_ylabel().startswith("1 \u2212 CKA")
