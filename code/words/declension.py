"""Russian cases of the names of languages."""

import re

# Case -> endings after -ий (финский), -ый, and of nouns that decline (на иврите).
_ENDINGS = {
    "genitive": ("ого", "ого", "а"),
    "dative": ("ому", "ому", "у"),
    "instrumental": ("им", "ым", "ом"),
    "prepositional": ("ом", "ом", "е"),
}
_NOUN = re.compile(r"(?:африкаанс|иврит|пиджин|пракрит|санскрит|тагалог)\b")


def decline(name: str) -> dict[str, str]:
    """Case -> the name in it; a word that is no adjective and none of the nouns stays as it is.

    Of adjectives only those on -кий and -ый are known: the softer ones (синий) end otherwise.
    """
    found = {}
    for case, (after_k, hard, noun) in _ENDINGS.items():
        adjectives = re.sub(r"ый\b", hard, re.sub(r"ий\b", after_k, name))
        found[case] = _NOUN.sub(rf"\g<0>{noun}", adjectives)
    return found
