"""Sentences for outcomes: the only place where a comparison becomes words.

Every text is a whole sentence (or a whole inline value) in
``words/texts/<language>/phrases.toml``, under a key that ends with the outcome of ``judging``:
``time-less``, ``quality-first-better``. A language may build its sentences as its grammar asks,
because no words are glued together here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.schema import Comparison, Estimate

from answers.findings import LAYER_PREFIX
from answers.judging import judge_reservation
from evidence.outcomes import ALPHA, decisive_interval
from study.settings import language_of
from words.escaping import Markup, escape_markdown, escape_values, join_markup
from words.wording import CASES, MISSING, Shown, Wording

SECTION = "phrases"
_CASE_OF = {"method": "definite", "layer": "definite", "language": "prepositional"}
POINT_METRICS = ("accuracy", "macro_f1", "weighted_f1", "f1", "drop", "drop_macro_f1")


class Phrase(Markup):
    """Text for an inline expression, passed on as Markdown.

    A plain string would reach the document as its ``repr``, where the narrow and the non-breaking
    space are escape sequences, and citations in it would be quoted.

    Attributes:
        key: what is spoken of, as in ``phrases.toml``, without the outcome.
        outcome: the outcome of ``judging`` that chose the sentence; "" where there is no choice.
        numbers: placeholder -> the number that was filled in, those of inner phrases included.
    """

    __slots__ = ("key", "numbers", "outcome")
    key: str
    outcome: str
    numbers: dict[str, Any]

    def __new__(
        cls, text: str, key: str = "", outcome: str = "", numbers: Mapping[str, Any] | None = None
    ) -> "Phrase":
        """A text with what it was made from."""
        phrase = super().__new__(cls, text)
        if numbers is None and isinstance(text, Shown):
            numbers = {"value": text.number}
        phrase.key, phrase.outcome, phrase.numbers = key, outcome, dict(numbers or {})
        return phrase

    def _repr_markdown_(self) -> str:
        # For an empty value Quarto would print the expression itself; a comment shows nothing.
        return str(self) or "<!-- -->"


@dataclass(frozen=True)
class Voice:
    """Speaks the sentences of one language."""

    words: Wording

    def say(self, key: str, outcome: str = "", **values: object) -> Phrase:
        """The sentence of a key and an outcome, its placeholders filled; values are escaped."""
        numbers: dict[str, Any] = {}
        for name, value in values.items():
            if isinstance(value, Shown):
                numbers[name] = value.number
            elif isinstance(value, Phrase):
                numbers |= {f"{name}_{inner}": number for inner, number in value.numbers.items()}
        template = f"{key}-{outcome}" if outcome else key
        single = f"{template}-single"  # what holds of one model is not said of "all models"
        if values.get("models") == 1 and self.words.has(SECTION, single):
            template = single
        text = self.words.say(SECTION, template, **escape_values(values))
        # An abbreviation that ends a sentence brings its point along.
        return Phrase(text.replace("..", "."), key, str(outcome), numbers)

    def join(self, phrases: Iterable[Phrase], separator: str = " ") -> Phrase:
        """Sentences one after the other, as one phrase with all their numbers."""
        spoken = [phrase for phrase in phrases if phrase]
        numbers = {f"{p.key}_{k}": v for p in spoken for k, v in p.numbers.items()}
        outcome = ", ".join(phrase.outcome for phrase in spoken if phrase.outcome)
        key = spoken[0].key if spoken else ""
        return Phrase(join_markup(separator, spoken), key, outcome, numbers)

    def name(self, kind: str, value: str) -> Markup:
        """What a data value is called, in the case that sentences on its kind ask for."""
        return escape_markdown(self.words.name(value, case=_CASE_OF.get(kind, "")))

    def methods(self, first: str | None, second: str | None = None) -> dict[str, str]:
        """Placeholders for two methods: name, capitalised name, and its grammatical cases.

        ``{first}``, ``{First}``, ``{first_genitive}`` ...; for a case that the language does not
        spell out stands the plain name.
        """
        found: dict[str, str] = {}
        for role, method in (("first", first), ("second", second)):
            if method is not None:
                plain = self.name("method", method)
                found |= {role: plain, role.capitalize(): _capitalised(plain)}
                found |= {f"{role}_{form}": self.words.name(method, case=form) for form in CASES}
        return found

    def metric(self, metric: str) -> dict[str, str]:
        """Placeholders for a metric: ``{metric}`` and ``{Metric}`` at a sentence's beginning."""
        name = self.name("metric", metric)
        return {"metric": name, "Metric": _capitalised(name)}

    def model(self, path: str) -> Markup:
        """The name of an encoder; its path where it has none."""
        name = self.words.model(path)
        return escape_markdown(path) if escape_markdown(path).endswith(name) else name

    def language(self, evaluation: str | None) -> str:
        """The name of an evaluated set's language."""
        return MISSING if evaluation is None else self.name("language", language_of(evaluation))

    def layer(self, layer: str) -> str:
        """The name of a layer; encoder layers are counted from 0, as in the figures."""
        if layer.startswith(LAYER_PREFIX):
            return self.say("layer-encoder", number=layer.removeprefix(LAYER_PREFIX))
        return self.name("layer", layer)

    def listed(self, items: Sequence[str]) -> Markup:
        """Items separated by commas; ``–`` for none."""
        return join_markup(", ", items or (MISSING,))

    def ratio(self, value: float | None) -> Shown:
        """How many times: one digit after the point, as Russian grammar needs it."""
        return self.words.number(value, 1)

    def ratios(self, values: Sequence[float]) -> Shown:
        """The range of some ratios; a single number where they read alike."""
        low, high = self.ratio(min(values, default=None)), self.ratio(max(values, default=None))
        text = low if low == high else self.say("range", low=low, high=high)
        return Shown(text, {"low": low.number, "high": high.number})

    def points(self, value: float | None) -> Shown:
        """A share of a whole in points, without the unit."""
        return Shown(self.words.number(None if value is None else 100 * value, 1), value)

    def estimate(self, metric: str, entry: Estimate | None) -> Shown:
        """The value of an ESTIMATE: accuracies and F1 as per cent, correlations as they are."""
        value = entry["value"] if entry else None
        return self.words.percent(value) if metric in POINT_METRICS else self.words.number(value, 3)

    def effect(self, metric: str, value: float | None) -> Shown:
        """A signed difference, with its unit where it has one."""
        if value is None or metric not in POINT_METRICS:
            return self.words.signed(value, 3)
        return Shown(self.say("points", value=self.words.points(value)), value)

    def size(self, metric: str, value: float | None) -> Shown:
        """A difference without its sign, for sentences that say its direction."""
        if value is None or metric not in POINT_METRICS:
            return self.words.number(None if value is None else abs(value), 3)
        return Shown(self.say("points", value=self.points(abs(value))), value)

    def interval(self, metric: str, low: float | None, high: float | None) -> Shown:
        """An interval in the unit of ``effect``; nothing where there is none."""
        if low is None or high is None:
            return Shown("")
        scale, digits = (100, 1) if metric in POINT_METRICS else (1, 3)
        text = self.words.interval(scale * low, scale * high, digits)
        return Shown(text, {"low": low, "high": high})

    def p_value(self, p: float | None) -> Shown:
        """``p = 0.012``, or a bound below a thousandth."""
        if p is not None and p < 0.001:
            return Shown(self.say("p-below", bound=self.words.number(0.001, 3)), p)
        return Shown(self.say("p-equals", value=self.words.number(p, 3)), p)

    def evidence(self, comparison: Comparison) -> dict[str, str]:
        """Placeholders of a COMPARISON: ``{effect}``, ``{size}``, ``{interval}``, ``{p}``."""
        metric = comparison["metric"]
        low, high = decisive_interval(comparison)
        return {
            "effect": self.effect(metric, comparison["effect"]),
            "size": self.size(metric, comparison["effect"]),
            "interval": self.interval(metric, low, high),
            "p": self.p_value(comparison["p_corrected"]),
            "reservation": self.say(
                "reservation", judge_reservation(comparison), level=self.words.number(ALPHA, 2)
            ),
        }


def _capitalised(name: str) -> Markup:
    return Markup(name[:1].upper() + name[1:])
