"""Words and number formats of one language, for tables, figures and computed sentences.

Texts are in ``code/words/texts/<language>/<section>.toml``, one flat table of templates a section
(``plots``, ``tables``, ``phrases``); a template's ``{placeholders}`` are filled by keyword. What a
method, task, metric, layer or cause is called stands once, in ``names.toml``, whose tables group
the names for its reader; the form of a name in a grammatical case is under that case. Languages are
named in ``languages.toml``; their Russian cases follow by rule (``declension``). Numbers
are fractions in [0, 1] everywhere else: percent exists only here and in ``tabulation``.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.errors import StudyError
from words.declension import decline
from words.escaping import Markup, escape_markdown

LANGUAGES = ("en", "ru")
DECIMAL_COMMA = ("ru",)
MISSING = Markup("–")
MINUS = "\u2212"
NARROW_SPACE = "\u202f"  # between thousands
NO_BREAK_SPACE = "\u00a0"
NAMES = "names"
LANGUAGE_NAMES = "languages"  # by code, as treebanks of Universal Dependencies begin with
CASES = ("definite", "genitive", "dative", "accusative", "instrumental", "prepositional")
_SPAN = re.compile(r"^(\d+)-(\d+)$")


class Shown(Markup):
    """A value as a reader sees it, with the number behind it.

    Attributes:
        number: as it was measured (fractions, seconds, bytes), None for a value that is missing;
            several belong together as a mapping (``value``, ``low``, ``high``).
    """

    __slots__ = ("number",)
    number: Any

    def __new__(cls, text: str, number: Any = None) -> "Shown":
        """Shows a number as a text."""
        shown = super().__new__(cls, text)
        shown.number = number
        return shown


@dataclass(frozen=True)
class Wording:
    """The words of a language, by section and key."""

    language: str
    texts: Mapping[str, Mapping[str, str]]

    def say(self, section: str, key: str, **values: object) -> str:
        """The text of a key with its placeholders filled.

        Raises:
            StudyError: the language lacks the key, with the file to add it to.
        """
        try:
            template = self.texts[section][key]
        except KeyError as error:
            raise StudyError(
                f"no text {key!r} for the language {self.language!r}",
                where=f"code/words/texts/{self.language}/{section}.toml",
                remedy="add the key there, in every language",
            ) from error
        return template.format(**values)

    def has(self, section: str, key: str) -> bool:
        """Whether there is a text for a key."""
        return key in self.texts.get(section, {})

    def name(self, key: str, *, case: str = "") -> str:
        """What a data value is called, or the value itself where no name is written.

        New methods, tags and languages need no text to be shown; between two numbers stands an en
        dash. ``case`` is one of ``CASES``: the plain name serves where a language lacks the form.
        """
        names = self.texts.get(NAMES, {})
        written = names.get(f"{key}-{case}") or names.get(key) or self._language(key, case)
        return Markup(written) if written else _SPAN.sub("\\1–\\2", key)

    def _language(self, code: str, case: str) -> str | None:
        """What a language is called, None for a code that is none."""
        name = self.texts.get(LANGUAGE_NAMES, {}).get(code)
        if name is None or self.language != "ru":
            return name
        return decline(name).get(case, name)

    def model(self, name_or_path: str) -> Markup:
        """What an encoder is called: by the last part of its name that has a name of its own."""
        parts = [part for part in re.split(r"[/:]", name_or_path) if part]
        known = [part for part in reversed(parts) if self.has(NAMES, part)]
        return escape_markdown(self.name(known[0]) if known else (parts or [name_or_path])[-1])

    def number(self, value: float | None, digits: int) -> Shown:
        """Fixed-point number; ``–`` for None."""
        return Shown(MISSING if value is None else self._localise(f"{value:,.{digits}f}"), value)

    def signed(self, value: float | None, digits: int) -> Shown:
        """As ``number``, with a sign; a value that rounds to zero has none."""
        if value is None:
            return Shown(MISSING)
        text = f"{value:+,.{digits}f}"
        return Shown(self._localise(text if float(text.replace(",", "")) else text[1:]), value)

    def percent(self, value: float | None, digits: int = 1) -> Shown:
        """A fraction as per cent."""
        if value is None:
            return Shown(MISSING)
        gap = NO_BREAK_SPACE if self.language in DECIMAL_COMMA else ""
        return Shown(f"{self.number(100 * value, digits)}{gap}%", value)

    def points(self, value: float | None) -> Shown:
        """A difference of fractions in percentage points, signed, without the unit."""
        return Shown(self.signed(None if value is None else 100 * value, 1), value)

    def interval(self, low: float | None, high: float | None, digits: int) -> Shown:
        """``[low, high]``, or ``–``; a semicolon separates where the comma is decimal."""
        if low is None or high is None:
            return Shown(MISSING)
        separator = "; " if self.language in DECIMAL_COMMA else ", "
        text = f"[{self.number(low, digits)}{separator}{self.number(high, digits)}]"
        return Shown(text, {"low": low, "high": high})

    def count(self, value: int | None) -> Shown:
        """A whole number with its thousands apart."""
        return self.number(value, 0)

    def span(self, values: Iterable[int]) -> str:
        """The least and the greatest of some whole numbers; one number where they are the same."""
        ends = sorted(set(values))
        return "–".join(self.count(end) for end in dict.fromkeys((*ends[:1], *ends[-1:])))

    def duration(self, seconds: float) -> Shown:
        """Seconds as ``12.3 s``, ``4 min 5 s`` or ``1 h 2 min``, in the language's units."""
        names = ("с", "мин", "ч") if self.language == "ru" else ("s", "min", "h")
        units = [f"{NO_BREAK_SPACE}{name}" for name in names]
        minutes, rest = divmod(round(seconds), 60)
        if seconds < 60:
            text = f"{self.number(seconds, 1)}{units[0]}"
        elif minutes < 60:
            text = f"{minutes}{units[1]} {rest}{units[0]}"
        else:
            text = f"{minutes // 60}{units[2]} {minutes % 60}{units[1]}"
        return Shown(text, seconds)

    def megabytes(self, size: float | None) -> Shown:
        """Bytes as megabytes (10**6)."""
        if size is None:
            return Shown(MISSING)
        unit = "МБ" if self.language == "ru" else "MB"
        digits = 0 if size >= 99.5e6 else 1
        return Shown(f"{self.number(size / 1e6, digits)}{NO_BREAK_SPACE}{unit}", size)

    def _localise(self, text: str) -> str:
        """From ``-1,234.5`` to the language's separators, with a true minus sign."""
        comma = self.language in DECIMAL_COMMA
        swapped = text.replace(",", NARROW_SPACE).replace(".", "," if comma else ".")
        return swapped.replace("-", MINUS)


def load_wording(language: str) -> Wording:
    """The words of a language.

    Raises:
        StudyError: unknown language.
    """
    if language not in LANGUAGES:
        raise StudyError(f"unknown language {language!r}; known: {', '.join(LANGUAGES)}")
    folder = Path(__file__).parent / "texts" / language
    texts = {
        file.stem: tomllib.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("*.toml"))
    }
    return Wording(language, {**texts, NAMES: _flat(texts[NAMES])})


def _flat(groups: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Names by key, and their cases by ``<key>-<case>``, from the groups of ``names.toml``."""
    return {
        f"{key}-{group}" if group in CASES else key: name
        for group, names in groups.items()
        for key, name in names.items()
    }
