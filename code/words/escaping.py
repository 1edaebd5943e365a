"""Data values as literal Markdown: what a corpus or a settings file says is text, never markup.

A sentence of the report is a template filled with values. Templates are ours and may hold Markdown;
values are not, and a method's name, a tag or a device may look like a script, a citation, a
shortcode or raw Typst. ``escape_markdown`` is the one place where such a value becomes Markdown,
and ``Markup`` marks what has become it, so that nothing is escaped twice.

Every punctuation mark that Markdown can give a meaning to gets a backslash, which both pandoc and
Quarto take as "this very character". Quarto expands shortcodes even inside code spans, where a
backslash is no escape: values are therefore never put between backticks.
"""

import json
import re
from collections.abc import Iterable
from typing import TypeVar

Text = TypeVar("Text", bound=str)

_SPECIAL = re.compile(
    r"""
      [\\`*_{}\[\]<>$~^@|\#&"']    # markup, citations, shortcodes, maths, entities, curly quotes
    | (?<=-)-|-(?=-)               # two hyphens would become a dash
    | (?<=\.)\.|\.(?=\.)           # three full stops an ellipsis
    | (?<=:):|:(?=[:/])            # a fenced block, an address
    | \A[-+=:%]                    # at the beginning of a paragraph: a list, a rule, a definition
    | ^\(?(?:\w+)[.)](?=\s|\Z)     # or an enumeration
    """,
    re.VERBOSE,
)
_ENDLESS = re.compile(r"\S{61,}")  # a word that no line can hold
_PIECE = 16  # characters after which such a word may be broken
_BREAK = "\u200b"
_BLANKS = re.compile(r"[ \t\r\n\f\v\x1c-\x1f\x85\u2028\u2029]+")  # not the spaces that do not break
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")  # no document may hold these


class Markup(str):
    """Text that is Markdown already."""

    __slots__ = ()


def capitalise(text: Text) -> Text:
    """The text with a capital at its head; ``str.capitalize`` would lower the rest."""
    return type(text)(text[:1].upper() + text[1:])


def script_json(value: object) -> str:
    """A value as JSON that cannot end the script that holds it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def escape_markdown(text: str) -> Markup:
    """A value as literal Markdown on one line; what is ``Markup`` stays as it is."""
    if isinstance(text, Markup):
        return text
    line = _CONTROL.sub("\ufffd", _BLANKS.sub(" ", text).strip(" "))
    return Markup(_SPECIAL.sub(_escaped, _ENDLESS.sub(_breakable, line)))


def _breakable(word: re.Match[str]) -> str:
    """An endless word with places to break it, which nobody sees: no page is as wide."""
    places = range(0, len(word[0]), _PIECE)
    return _BREAK.join(word[0][place : place + _PIECE] for place in places)


def _escaped(match: re.Match[str]) -> str:
    """Backslashes stand before every punctuation mark of what was found."""
    return re.sub(r"([^\w\s]|_)", r"\\\1", match[0])


def join_markup(separator: str, items: Iterable[str]) -> Markup:
    """Texts with a separator, of our own, between them."""
    return Markup(separator.join(escape_markdown(item) for item in items))
