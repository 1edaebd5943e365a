"""Words and number formats of one language, for tables, figures and computed sentences.

Texts are in ``code/words/texts/<language>/<section>.toml``, one flat table of templates a section
(``plots``, ``tables``, ...); a template's ``{placeholders}`` are filled by keyword. What a
method, task, metric, layer or cause is called stands once, in ``names.toml``, whose tables group
the names for its reader; the form of a name in a grammatical case is under that case. Languages are
named in ``languages.toml``; their Russian cases follow by rule (``declension``). Numbers
are fractions in [0, 1] everywhere else: percent exists only here and in ``numbers``.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

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

    def number(self, value: float | None, digits: int) -> Markup:
        """Fixed-point number; ``–`` for None."""
        return Markup(MISSING if value is None else self._localise(f"{value:,.{digits}f}"))

    def signed(self, value: float | None, digits: int) -> Markup:
        """As ``number``, with a sign; a value that rounds to zero has none."""
        if value is None:
            return MISSING
        text = f"{value:+,.{digits}f}"
        return Markup(self._localise(text if float(text.replace(",", "")) else text[1:]))

    def percent(self, value: float | None, digits: int = 1) -> Markup:
        """A fraction as per cent."""
        if value is None:
            return MISSING
        gap = NO_BREAK_SPACE if self.language in DECIMAL_COMMA else ""
        return Markup(f"{self.number(100 * value, digits)}{gap}%")

    def count(self, value: int | None) -> Markup:
        """A whole number with its thousands apart."""
        return self.number(value, 0)

    def span(self, values: Iterable[int]) -> str:
        """The least and the greatest of some whole numbers; one number where they are the same."""
        ends = sorted(set(values))
        return "–".join(self.count(end) for end in dict.fromkeys((*ends[:1], *ends[-1:])))

    def duration(self, seconds: float) -> Markup:
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
        return Markup(text)

    def megabytes(self, size: float | None) -> Markup:
        """Bytes as megabytes (10**6)."""
        if size is None:
            return MISSING
        unit = "МБ" if self.language == "ru" else "MB"
        digits = 0 if size >= 99.5e6 else 1
        return Markup(f"{self.number(size / 1e6, digits)}{NO_BREAK_SPACE}{unit}")

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
