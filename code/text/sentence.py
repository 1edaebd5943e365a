"""Sentences: a key, the verdict that chooses the wording, and the facts that fill it.

A sentence is declared once, in the code, for all languages: which rule chooses it and which facts
it speaks of. The files ``text/<language>/<topic>.toml`` hold its wordings under
``<key>-<outcome>``, whole sentences with placeholders. A placeholder of a fact names what of it is
shown: ``{gap:size}``, ``{gap:interval}``, ``{score:value}``, ``{score:value.0}`` (digits).
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from facts.fact import Fact
from facts.quantities import Unit
from study.errors import StudyError
from words.escaping import Markup, capitalise, escape_markdown, join_markup
from words.numbers import Numbers
from words.wording import CASES, MISSING, Wording, load_wording


class Said(Markup):
    """A sentence or list that is Markdown, with what it was made from."""

    __slots__ = ("facts", "key", "outcome")
    key: str  # what is spoken of, as in the language files, without the outcome
    outcome: str  # the outcome that chose the wording; "" where there is no choice
    # ids of the facts that were handed over, those of inner sentences included
    facts: tuple[str, ...]

    def __new__(
        cls, text: str, key: str = "", outcome: str = "", facts: Iterable[str] = ()
    ) -> "Said":
        """A text with its origin."""
        said = super().__new__(cls, text)
        said.key, said.outcome, said.facts = key, outcome, tuple(dict.fromkeys(facts))
        return said

    def _repr_markdown_(self) -> str:
        # For an empty value Quarto would print the expression itself; a comment shows nothing.
        return str(self) or "<!-- -->"


NOTHING = Said("")
_DOUBLED = re.compile(r"\.(|\]\{f=\w{9}\})\.")
ENDS = ("low", "high")


@dataclass(frozen=True)
class Placeholder:
    """A fact in a template; the format after the colon says what of it is shown.

    ``value`` (also without a format), ``size`` (no sign), ``signed``, ``bare`` (no unit),
    ``interval``, ``estimate``, ``p``, ``error``, ``inverse``, ``share``, ``percent`` (a share with
    its interval), ``n``, ``seeds``, ``sd``,
    ``low``, ``high`` (the ends of the interval without their signs), each with ``.<digits>`` where
    these are not the unit's.
    """

    fact: Fact
    numbers: Numbers

    def __format__(self, spec: str) -> str:
        """Writes what the format names.

        Raises:
            ValueError: an unknown format.
        """
        name, _, after = spec.partition(".")
        digits, numbers = int(after) if after else None, self.numbers
        if name in ("", "value", "size", "signed", "bare"):
            return numbers.value(
                self.fact,
                digits=digits,
                signed=name == "signed",
                size=name == "size",
                bare=name == "bare",
            )
        if name in ("n", "seeds", "sd", "low", "high"):
            return numbers.value(self.fact, column=name, digits=digits, size=name in ENDS)
        if name in ("error", "inverse", "share"):
            return numbers.derived(self.fact, name, digits=digits)
        if name == "percent":
            ends = numbers.interval(self.fact, digits=digits or 0, unit=Unit.PERCENT)
            return f"{numbers.derived(self.fact, 'share', digits=digits or 0)} {ends}"
        if name == "p":
            p = numbers.p_value(self.fact)
            return f"*p* {p}" if "<" in p else f"*p* = {p}"
        if name in ("interval", "estimate"):
            return str(getattr(numbers, name)(self.fact, digits=digits))
        raise ValueError(f"unknown format {spec!r} of the fact {self.fact.quantity!r}")


@dataclass(frozen=True)
class Speaker:
    """Speaks the sentences of one language."""

    numbers: Numbers  # writes the facts in them
    templates: Mapping[str, str]  # key with outcome -> wording

    @property
    def words(self) -> Wording:
        """The language."""
        return self.numbers.words

    def say(self, key: str, outcome: str = "", **values: object) -> Said:
        """The sentence of a key and an outcome.

        Args:
            key: what is spoken of.
            outcome: the verdict that chooses the wording.
            values: placeholder -> fact, whole number, text (escaped) or sentence.

        Raises:
            StudyError: the language lacks the wording, or it asks for what is not handed over.
        """
        template = f"{key}-{outcome}" if outcome else key
        facts: list[str] = []
        filled: dict[str, object] = {}
        for name, value in values.items():
            if isinstance(value, Fact):
                facts.append(value.id)
                filled[name] = Placeholder(value, self.numbers)
            elif isinstance(value, Said):
                facts += value.facts
                filled[name] = value
            else:
                filled[name] = self._plain(value)
        try:
            text = self.templates[template].format(**filled)
        except (KeyError, ValueError) as error:
            raise StudyError(
                f"the sentence {template!r} cannot be said in {self.words.language!r}: {error}",
                where=f"code/text/{self.words.language}",
                remedy="write it there, in every language, with these placeholders: "
                + ", ".join(sorted(filled)),
            ) from error
        # An abbreviation that ends a sentence brings its point along, also within a number's mark.
        return Said(_DOUBLED.sub(r".\1", text), key, str(outcome), facts)

    def _plain(self, value: object) -> object:
        if value is None:
            return MISSING
        if isinstance(value, int):
            return self.words.count(value)
        return escape_markdown(value) if isinstance(value, str) else value

    def join(self, sentences: Iterable[Said], separator: str = " ") -> Said:
        """Sentences one after the other; empty ones are left out."""
        spoken = [said for said in sentences if said]
        facts = [fact for said in spoken for fact in said.facts]
        outcome = ", ".join(said.outcome for said in spoken if said.outcome)
        key = spoken[0].key if spoken else ""
        return Said(join_markup(separator, spoken), key, outcome, facts)

    def listed(self, items: Iterable[str]) -> Said:
        """Items as a list in running text: ``a, b and c``; a dash for none."""
        *most, last = [*items] or [MISSING]
        if most:
            joined = {"most": join_markup(", ", most), "last": escape_markdown(last)}
            text = self.templates["list"].format(**joined)
        else:
            text = escape_markdown(last)
        facts = [fact for item in (*most, last) for fact in getattr(item, "facts", ())]
        return Said(text, facts=facts)

    def name(self, value: str, case: str = "") -> Markup:
        """What a data value is called, in a grammatical case where the language has it."""
        return escape_markdown(self.words.name(value, case=case))

    def methods(self, **roles: str | None) -> dict[str, str]:
        """Placeholders for methods: ``{first}``, ``{First}`` and ``{first_genitive}`` ... of each.

        For a case that the language does not spell out stands the plain name.
        """
        found: dict[str, str] = {}
        for role, method in roles.items():
            if method is not None:
                plain = self.name(method, "definite")
                found[role] = plain
                found[role.capitalize()] = capitalise(plain)
                found |= {f"{role}_{case}": self.name(method, case) for case in CASES}
        return found


def load_speaker(language: str) -> Speaker:
    """A speaker with all sentences of a language.

    Raises:
        StudyError: unknown language, or a key that stands in two files.
    """
    words, templates = load_wording(language), dict[str, str]()
    for file in sorted((Path(__file__).parent / language).glob("*.toml")):
        for key, text in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if key in templates:
                raise StudyError(f"the sentence {key!r} stands twice", where=str(file))
            templates[key] = text
    return Speaker(Numbers(words), templates)


def clauses(
    speaker: Speaker, key: str, members: Mapping[str, Iterable[str]], **values: object
) -> Said:
    """One sentence of the clauses ``<key>-<kind>`` for every kind that has members, each listed.

    No kind is passed over in silence: what cannot be told is said like what can.
    """
    said = [
        speaker.say(key, kind, listed=speaker.listed(own), count=len(own), **values)
        for kind, of in members.items()
        if (own := list(of))
    ]
    return speaker.join(said)
