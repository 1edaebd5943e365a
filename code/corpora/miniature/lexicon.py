"""Reading and inflecting the English lexicon of the miniature corpora.

A lexeme is its base form with the forms that a rule cannot give; the rules here cover English
spelling only as far as ``lexicon_en.toml`` needs them. German morphology is in ``lexicon_german``.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re
import tomllib
from collections.abc import Iterable

FOLDER = pathlib.Path(__file__).parent

_SIBILANT = re.compile(r"(s|x|z|ch|sh)$")
_CONSONANT_Y = re.compile(r"(?<![aeiou])y$")


@dataclasses.dataclass(frozen=True, slots=True)
class Lexeme:
    """A word of one class with the irregular forms that the lexicon spells out.

    Attributes:
        lemma: the base form.
        category: "noun", "verb", "adjective", "word" or "phrase".
        irregular: forms given after the lemma, in the order that the lexicon file explains.
        particle: the particle or preposition that a verb takes, or "".
    """

    lemma: str
    category: str
    irregular: tuple[str, ...] = ()
    particle: str = ""

    def form(self, name: str) -> str:
        """Returns one form: "", "pl", "s", "past", "part", "ing", "er", "est" or "prt"."""
        return _FORMS[name](self)


def _third_person(lexeme: Lexeme) -> str:
    if lexeme.lemma in {"have", "go"}:
        return {"have": "has", "go": "goes"}[lexeme.lemma]
    return _add_s(lexeme.lemma)


def _add_s(word: str) -> str:
    if _SIBILANT.search(word) or word in {"potato", "tomato"}:
        return f"{word}es"
    return _CONSONANT_Y.sub("ie", word) + "s"


def _plural(lexeme: Lexeme) -> str:
    return lexeme.irregular[0] if lexeme.irregular else _add_s(lexeme.lemma)


def _past(lexeme: Lexeme) -> str:
    return lexeme.irregular[0] if lexeme.irregular else _add(lexeme.lemma, "ed")


def _participle(lexeme: Lexeme) -> str:
    return lexeme.irregular[-1] if lexeme.irregular else _past(lexeme)


def _add(word: str, ending: str) -> str:
    """Adds an ending that begins with a vowel."""
    if ending[0] != "i":
        word = _CONSONANT_Y.sub("i", word)
    return (word[:-1] if word.endswith("e") else word) + ending


def _gerund(lexeme: Lexeme) -> str:
    word = lexeme.lemma
    doubled = word + word[-1]
    if _past(lexeme).startswith(doubled) or word in _DOUBLING:
        return f"{doubled}ing"
    return f"{word}ing" if word.endswith(("ee", "ye")) else _add(word, "ing")


def _comparative(lexeme: Lexeme) -> str:
    return lexeme.irregular[0] if lexeme.irregular else _graded(lexeme.lemma, "er")


def _superlative(lexeme: Lexeme) -> str:
    if lexeme.irregular:
        return lexeme.irregular[1]
    return _graded(lexeme.lemma, "est")


def _graded(word: str, ending: str) -> str:
    return _add(word + word[-1] if word in _DOUBLING else word, ending)


_DOUBLING = frozenset(
    [
        "cut",
        "get",
        "let",
        "put",
        "run",
        "set",
        "sit",
        "swim",
        "forget",
        "begin",
        "hit",
        "shut",
        "big",
        "hot",
        "red",
        "sad",
        "thin",
    ]
)
_FORMS = {
    "": lambda lexeme: lexeme.lemma,
    "prt": lambda lexeme: lexeme.particle,
    "pl": _plural,
    "s": _third_person,
    "past": _past,
    "part": _participle,
    "ing": _gerund,
    "er": _comparative,
    "est": _superlative,
}


def _parse_entry(entry: str, category: str) -> Lexeme:
    forms, _, particle = entry.strip().partition(" ")
    lemma, *irregular = forms.split(":")
    return Lexeme(lemma, category, tuple(irregular), particle)


def _parse_class(value: str | list[str], category: str) -> tuple[Lexeme, ...]:
    if isinstance(value, list):
        return tuple(Lexeme(phrase, category) for phrase in value)
    entries = value.split("|") if "|" in value else value.split()
    return tuple(_parse_entry(entry, category) for entry in entries)


Lexicon = dict[str, tuple[Lexeme, ...]]


@functools.cache
def load_english() -> Lexicon:
    """Reads ``lexicon_en.toml`` into lexeme classes.

    Returns:
        Class name -> lexemes. An adjective class that shares its name with nouns is called
        ``<name>_adj``; "name" holds all first names.
    """
    tables = tomllib.loads((FOLDER / "lexicon_en.toml").read_text(encoding="utf-8"))
    classes = {
        f"{name}_adj" if category == "adjective" and name in _SHARED else name: _parse_class(
            value, category
        )
        for category, table in tables.items()
        for name, value in table.items()
    }
    return classes | {"name": classes["female"] + classes["male"]}


_SHARED = frozenset(["person", "thing", "place", "abstract", "document", "food"])


def hold_out(classes: Lexicon, names: Iterable[str], every: int) -> Lexicon:
    """Leaves out every ``every``-th lexeme of the named classes (and that lemma everywhere).

    Args:
        classes: a lexicon.
        names: classes from which lexemes are held out.
        every: 8 means that about an eighth of the lexemes goes.

    Returns:
        The smaller lexicon; classes that are not named keep words that are not held out.
    """
    held = {(lexeme.category, lexeme.lemma) for name in names for lexeme in classes[name][::every]}
    kept = {
        name: tuple(item for item in items if (item.category, item.lemma) not in held)
        for name, items in classes.items()
    }
    return {name: items or classes[name] for name, items in kept.items()}
