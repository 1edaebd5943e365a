"""German morphology of the miniature corpora: nouns, adjectives, determiners and verbs.

The tables follow any school grammar. Cases are "Nom", "Acc", "Dat", "Gen"; a slot of a
declension is one of ``m f n p`` (p: plural of every gender).
"""

from __future__ import annotations

import dataclasses
import functools
import re
import tomllib

from corpora.miniature.lexicon import FOLDER

GENDERS = {"m": "Masc", "w": "Masc", "f": "Fem", "n": "Neut"}

DEFINITE = {"Nom": "der die das die", "Acc": "den die das die", "Dat": "dem der dem den"}
DEFINITE["Gen"] = "des der des der"
_DER = {"Nom": "er e es e", "Acc": "en e es e", "Dat": "em er em en", "Gen": "es er es er"}
_EIN = {"Nom": "- e - e", "Acc": "en e - e", "Dat": "em er em en", "Gen": "es er es er"}
_WEAK = {"Nom": "e e e en", "Acc": "en e e en", "Dat": "en en en en", "Gen": "en en en en"}
_MIXED = {"Nom": "er e es en", "Acc": "en e es en", "Dat": "en en en en", "Gen": "en en en en"}
_STRONG = {"Nom": "er e es e", "Acc": "en e es e", "Dat": "em er em en", "Gen": "en er en er"}
DECLENSIONS = {"weak": _WEAK, "mixed": _MIXED, "strong": _STRONG, "der": _DER, "ein": _EIN}

AUXILIARIES = {
    "haben": ("habe", "hat", "hatte"),
    "sein": ("bin", "ist", "war"),
    "werden": ("werde", "wird", "wurde"),
    "können": ("kann", "kann", "konnte"),
    "müssen": ("muss", "muss", "musste"),
    "sollen": ("soll", "soll", "sollte"),
    "wollen": ("will", "will", "wollte"),
    "dürfen": ("darf", "darf", "durfte"),
}
_UNPREFIXED = re.compile(r"^(be|ver|er(?!n)|ent|zer|ge(?=hör)|wider)|ieren$")


def declined(table: str, case: str, slot: str) -> str:
    """Returns the ending of a declension ("weak", "mixed", "strong", "der", "ein"), without "-"."""
    return DECLENSIONS[table][case].split()["mfnp".index(slot)].strip("-")


@dataclasses.dataclass(frozen=True, slots=True)
class Noun:
    """A noun; ``gender`` "w" marks the weak masculines."""

    lemma: str
    gender: str
    plural: str = ""
    genitive: str = ""

    def slot(self, number: str) -> str:
        """Returns the column of declension tables that determiners and adjectives take with it."""
        return "p" if number == "Plur" else self.gender.replace("w", "m")

    def form(self, case: str, number: str) -> str:
        """Inflects for case and number."""
        if number == "Plur":
            return self.plural + ("n" if case == "Dat" and self.plural[-1] not in "ns" else "")
        if self.gender == "w":
            return self.lemma if case == "Nom" else self.plural
        if case != "Gen" or self.gender == "f":
            return self.lemma
        return self.genitive or f"{self.lemma}s"


@dataclasses.dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective with the stem that takes endings, and comparison where the lexicon gives it."""

    lemma: str
    stem: str
    comparative: str = ""
    superlative: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Verb:
    """A verb; ``particle``: its separable part, ``preposition`` and ``case``: what it governs."""

    base: str
    third: str
    preterite: str
    past_participle: str
    particle: str = ""
    auxiliary: str = "haben"
    preposition: str = ""
    case: str = ""

    @property
    def lemma(self) -> str:
        """The infinitive as one word."""
        return self.particle + self.base

    @property
    def participle(self) -> str:
        """The past participle as one word."""
        return self.particle + self.past_participle

    def finite(self, agreement: str, tense: str) -> str:
        """Returns the finite form without the particle; agreement as in "1Sing" or "3Plur"."""
        first = self.third if self.base == "wissen" else f"{_stem(self.base)}e"
        return finite_form(self.base, (first, self.third, self.preterite), agreement, tense)


def finite_form(infinitive: str, forms: tuple[str, str, str], agreement: str, tense: str) -> str:
    """Chooses a finite form from (first singular, third singular, preterite)."""
    if tense == "Past":
        plural = "n" if forms[2].endswith("e") else "en"
        return forms[2] + (plural if agreement.endswith("Plur") else "")
    if agreement.endswith("Plur"):
        return "sind" if infinitive == "sein" else infinitive
    return forms[0] if agreement[0] == "1" else forms[1]


def _stem(infinitive: str) -> str:
    return infinitive[:-2] if infinitive.endswith("en") else infinitive[:-1]


def _regular(base: str) -> tuple[str, str, str]:
    stem = _stem(base)
    link = "e" if stem[-1] in "td" else ""
    prefix = "" if _UNPREFIXED.search(base) else "ge"
    return f"{stem}{link}t", f"{stem}{link}te", f"{prefix}{stem}{link}t"


def _parse_verb(entry: str) -> Verb:
    described, _, governed = entry.partition("/")
    forms = described.replace("+s", "").split()
    particle, _, base = forms[0].rpartition("|")
    third, preterite, participle = forms[1:] if len(forms) == 4 else _regular(base)
    auxiliary = "sein" if "+s" in described else "haben"
    preposition, case = governed.split() if governed else ("", "")
    case = {"a": "Acc", "d": "Dat"}.get(case, "")
    return Verb(base, third, preterite, participle, particle, auxiliary, preposition, case)


def _parse_adjective(entry: str) -> Adjective:
    lemma, _, stem = entry.partition(":")
    return Adjective(lemma, stem or lemma)


def _parse_comparison(entry: str) -> Adjective:
    lemma, comparative, superlative = entry.split(":")
    return Adjective(lemma, lemma, comparative, superlative)


@dataclasses.dataclass(frozen=True, slots=True)
class GermanLexicon:
    """The classes of ``lexicon_de.toml``, each name unique within its kind."""

    nouns: dict[str, tuple[Noun, ...]]
    verbs: dict[str, tuple[Verb, ...]]
    adjectives: dict[str, tuple[Adjective, ...]]
    words: dict[str, tuple[str, ...]]


@functools.cache
def load_german() -> GermanLexicon:
    """Reads ``lexicon_de.toml``."""
    tables = tomllib.loads((FOLDER / "lexicon_de.toml").read_text(encoding="utf-8"))

    def entries(value: str) -> list[str]:
        return [entry.strip() for entry in value.split(",")]

    comparison = {
        k: tuple(map(_parse_comparison, entries(v))) for k, v in tables["comparative"].items()
    }
    plain = {k: tuple(map(_parse_adjective, entries(v))) for k, v in tables["adjective"].items()}
    return GermanLexicon(
        {k: tuple(Noun(*e.split()) for e in entries(v)) for k, v in tables["noun"].items()},
        {k: tuple(map(_parse_verb, entries(v))) for k, v in tables["verb"].items()},
        plain | comparison,
        {k: tuple(entries(v)) for k, v in tables["word"].items()},
    )
