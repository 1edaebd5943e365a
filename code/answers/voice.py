"""Sentences for outcomes: the only place where a comparison becomes words.

Every text is a whole sentence (or a whole inline value) in
``words/texts/<language>/phrases.toml``, under a key that ends with the outcome of ``judging``:
``time-less``, ``quality-first-better``. A language may build its sentences as its grammar asks,
because no words are glued together here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from answers.findings import LAYER_PREFIX
from answers.judging import ALPHA, judge_extent
from study.settings import MethodSettings, language_of
from words.wording import CASES, MISSING, Wording

SECTION = "phrases"
_CASE_OF = {
    "method": "definite",
    "layer": "definite",
    "language": "prepositional",
    "measure": "dative",
}
POINT_METRICS = ("accuracy", "macro_f1", "weighted_f1", "f1", "drop", "drop_macro_f1")


class Phrase(str):
    """Text for an inline expression, passed on as Markdown.

    A plain string would reach the document as its ``repr``, where the narrow and the non-breaking
    space are escape sequences, and citations in it would be quoted.
    """

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        # For an empty value Quarto would print the expression itself; a comment shows nothing.
        return str(self) or "<!-- -->"


@dataclass(frozen=True)
class Voice:
    """Speaks the sentences of one language."""

    words: Wording

    def say(self, key: str, **values: object) -> Phrase:
        """The sentence of a key, its placeholders filled."""
        return Phrase(self.words.say(SECTION, key, **values))

    def name(self, kind: str, value: str) -> str:
        """What a data value is called, in the case that sentences on its kind ask for."""
        return self.words.name(value, case=_CASE_OF.get(kind, ""))

    def methods(self, first: str | None, second: str | None = None) -> dict[str, str]:
        """Placeholders for two methods: name, capitalised name, and its grammatical cases.

        ``{first}``, ``{First}``, ``{first_genitive}`` ...; for a case that the language does not
        spell out stands the plain name.
        """
        found: dict[str, str] = {}
        for role, method in (("first", first), ("second", second)):
            if method is not None:
                plain = self.name("method", method)
                found |= {role: plain, role.capitalize(): plain[:1].upper() + plain[1:]}
                found |= {f"{role}_{form}": self.words.name(method, case=form) for form in CASES}
        return found

    def language(self, evaluation: str | None) -> str:
        """The name of an evaluated set's language."""
        return MISSING if evaluation is None else self.name("language", language_of(evaluation))

    def layer(self, layer: str) -> str:
        """The name of a layer; encoder layers are counted from 0, as in the figures."""
        if layer.startswith(LAYER_PREFIX):
            return self.say("layer-encoder", number=layer.removeprefix(LAYER_PREFIX))
        return self.name("layer", layer)

    def extent(self, key: str, count: int, total: int) -> Phrase:
        """A clause on how many of so many cases something holds in: all, some or none."""
        outcome = judge_extent([True] * count + [False] * (total - count))
        return self.say(f"{key}-{outcome}", count=count)

    def listed(self, items: Sequence[str]) -> str:
        """Items separated by commas; ``–`` for none."""
        return ", ".join(items) or MISSING

    # ---------------------------------------------------------------------------------- values

    def value(self, metric: str, value: float | None) -> str:
        """A value of a metric: accuracies and F1 as per cent, correlations as they are."""
        if metric in POINT_METRICS:
            return self.words.percent(value)
        return self.words.number(value, 3)

    def estimate(self, metric: str, entry: Mapping[str, Any] | None) -> str:
        """The value of an ESTIMATE."""
        return self.value(metric, entry["value"] if entry else None)

    def effect(self, metric: str, value: float | None) -> str:
        """A signed difference, with its unit where it has one."""
        if value is None:
            return MISSING
        if metric in POINT_METRICS:
            return self.say("points", value=self.words.points(value, 2))
        return self.words.signed(value, 3)

    def size(self, metric: str, value: float | None) -> str:
        """A difference without its sign, for sentences that say its direction."""
        if value is None:
            return MISSING
        if metric in POINT_METRICS:
            return self.say("points", value=self.words.number(100 * abs(value), 2))
        return self.words.number(abs(value), 3)

    def interval(self, metric: str, low: float | None, high: float | None) -> str:
        """An interval in the unit of ``effect``."""
        if low is None or high is None:
            return MISSING
        if metric in POINT_METRICS:
            return self.words.interval(100 * low, 100 * high, 2)
        return self.words.interval(low, high, 3)

    def p_value(self, p: float | None) -> str:
        """``p = 0.012``, or a bound below a thousandth."""
        if p is None:
            return MISSING
        if p < 0.001:
            return self.say("p-below", bound=self.words.number(0.001, 3))
        return self.say("p-equals", value=self.words.number(p, 3))

    def evidence(self, comparison: Mapping[str, Any]) -> dict[str, str]:
        """Placeholders of a COMPARISON: ``{effect}``, ``{size}``, ``{interval}``, ``{p}``."""
        metric = comparison["metric"]
        return {
            "effect": self.effect(metric, comparison["effect"]),
            "size": self.size(metric, comparison["effect"]),
            "interval": self.interval(metric, comparison["low"], comparison["high"]),
            "p": self.p_value(comparison["p_corrected"]),
            "reservation": self._reservation(comparison),
        }

    def _reservation(self, comparison: Mapping[str, Any]) -> Phrase:
        """What a difference that is not reliable leaves open."""
        low, high = comparison["low"], comparison["high"]
        if low is None or high is None or low <= 0 <= high:
            return self.say("reservation-open")
        return self.say("reservation-corrected", level=self.words.number(ALPHA, 2))


def adapter_sentence(voice: Voice, method: MethodSettings) -> Phrase:
    """The settings of a method's adapter."""
    adapter = method.adapter
    if adapter is None:
        return voice.say(f"no-adapter-{method.trainable}")
    values = {name: _shown(voice.words, v) for name, v in vars(adapter).items() if name != "roles"}
    roles = voice.listed([voice.name("kind", role) for role in getattr(adapter, "roles", ())])
    return voice.say(f"adapter-{adapter.kind}", roles=roles, **values)


def _shown(words: Wording, value: object) -> object:
    """A setting as it was typed; a fraction with the decimal sign of the language."""
    if not isinstance(value, float):
        return value
    return words.number(value, len(f"{value:g}".partition(".")[2]))
