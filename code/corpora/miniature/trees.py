"""Dependency trees that are grown by joining phrases, and their CoNLL-U form.

A phrase is a run of words with one head. Joining phrases in surface order makes the phrase labelled
"head" govern the others, so every tree is projective and has one root by construction. Follows
https://universaldependencies.org/format.html; the enhanced graph differs from the tree only where
an empty node stands.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(eq=False, slots=True)
class Node:
    """A syntactic word, or an empty node of the enhanced graph.

    Attributes:
        glue: "left" (no space before), "right" (none after), "both" or "".
        fused: surface form of the multiword token that this node makes with the next one, or "".
        empty: stands for an elided word; has no surface form.
        enhanced: governor and relation in the enhanced graph where they differ from the basic tree.
    """

    form: str
    upos: str
    xpos: str
    feats: str = "_"
    lemma: str = ""
    glue: str = ""
    fused: str = ""
    empty: bool = False
    head: Node | None = None
    deprel: str = "root"
    enhanced: tuple[Node | None, str] | None = None


@dataclasses.dataclass(slots=True)
class Phrase:
    """Words in surface order, one of them the head.

    Attributes:
        agreement: what a finite verb agrees with, such as "3Sing".
    """

    nodes: list[Node]
    head: Node
    agreement: str = "3Sing"

    def __len__(self) -> int:
        return len(self.nodes)


Part = tuple[str, Phrase | None]


def word(
    form: str, upos: str, xpos: str, feats: str = "_", lemma: str = "", glue: str = ""
) -> Phrase:
    """Returns a phrase of one word; the lemma is the form unless given."""
    node = Node(form, upos, xpos, feats, lemma or form, glue)
    return Phrase([node], node)


def join(*parts: Part, agreement: str = "") -> Phrase:
    """Joins phrases in surface order; the part labelled "head" governs the others.

    Args:
        parts: pairs of relation and phrase; a phrase that is None is left out.
        agreement: of the whole; the head's own if empty.
    """
    present = [(relation, phrase) for relation, phrase in parts if phrase is not None]
    (governor,) = (phrase for relation, phrase in present if relation == "head")
    for relation, phrase in present:
        if phrase is not governor:
            phrase.head.head, phrase.head.deprel = governor.head, relation
    nodes = [node for _, phrase in present for node in phrase.nodes]
    return Phrase(nodes, governor.head, agreement or governor.agreement)


def insert_elided(
    sentence: Phrase,
    elided: Phrase,
    after: Phrase,
    governor: tuple[Phrase, str],
    roles: list[tuple[Phrase, str]],
) -> None:
    """Adds an empty node for an elided word to a sentence.

    Args:
        sentence: the tree; changed in place.
        elided: the word that is left out.
        after: the phrase that the empty node follows.
        governor: governor and relation of the empty node in the enhanced graph.
        roles: phrases that depend on the empty node in the enhanced graph, with their relations.
    """
    node = elided.head
    node.empty = True
    node.enhanced = (governor[0].head, governor[1])
    for phrase, relation in roles:
        phrase.head.enhanced = (node, relation)
    sentence.nodes.insert(sentence.nodes.index(after.nodes[-1]) + 1, node)


def features(**values: str) -> str:
    """Writes morphological features in the order that the format demands."""
    pairs = sorted(((name.replace("_psor", "[psor]"), value) for name, value in values.items()))
    written = "|".join(f"{name}={value}" for name, value in sorted(pairs, key=_by_name) if value)
    return written or "_"


def _by_name(pair: tuple[str, str]) -> str:
    return pair[0].lower()


def drop_redundant_commas(phrase: Phrase) -> Phrase:
    """Removes commas that precede another comma or the end of the sentence or quotation."""
    ending = frozenset(",.?!)")
    following = [*phrase.nodes[1:], None]
    phrase.nodes = [
        node
        for node, after in zip(phrase.nodes, following, strict=True)
        if node.form != "," or (after is not None and after.form not in ending)
    ]
    return phrase


def capitalise(phrase: Phrase) -> Phrase:
    """Gives the first word a capital; a sentence that begins with a number gets none."""
    first = next(node for node in phrase.nodes if node.upos != "PUNCT")
    first.form = first.form[0].upper() + first.form[1:]
    first.fused = first.fused[:1].upper() + first.fused[1:]
    return phrase


@dataclasses.dataclass(slots=True)
class _Token:
    """What stands between two spaces at most: a word, or a multiword token of two words."""

    form: str
    nodes: list[Node]
    space_after: bool = True


def _tokens(phrase: Phrase) -> list[_Token]:
    tokens: list[_Token] = []
    waiting = iter([node for node in phrase.nodes if not node.empty])
    for node in waiting:
        nodes = [node, next(waiting)] if node.fused else [node]
        if tokens and (node.glue in ("left", "both") or tokens[-1].nodes[-1].glue in _RIGHT):
            tokens[-1].space_after = False
        tokens.append(_Token(node.fused or node.form, nodes))
    return tokens


_RIGHT = ("right", "both")


def text_of(phrase: Phrase) -> str:
    """Returns the sentence as it is printed."""
    return "".join(token.form + " " * token.space_after for token in _tokens(phrase)).strip()


def _identify(nodes: list[Node]) -> dict[Node, str]:
    """Numbers words 1, 2, ... and an empty node after word 8 as 8.1."""
    identifiers: dict[Node, str] = {}
    words = empties = 0
    for node in nodes:
        words, empties = (words, empties + 1) if node.empty else (words + 1, 0)
        identifiers[node] = f"{words}.{empties}" if node.empty else str(words)
    return identifiers


def _line(node: Node, identifiers: dict[Node, str], misc: str) -> str:
    head = identifiers[node.head] if node.head else "0"
    governor, relation = node.enhanced or (node.head, node.deprel)
    dependency = f"{identifiers[governor] if governor else '0'}:{relation}"
    basic = ["_", "_"] if node.empty else [head, node.deprel]
    described = [identifiers[node], node.form, node.lemma, node.upos, node.xpos, node.feats]
    return "\t".join([*described, *basic, dependency, misc])


def to_conllu(sent_id: str, phrase: Phrase) -> str:
    """Writes one sentence as a CoNLL-U block that ends with an empty line."""
    identifiers = _identify(phrase.nodes)
    following = {token.nodes[0]: token for token in _tokens(phrase)}
    lines = [f"# sent_id = {sent_id}", f"# text = {text_of(phrase)}"]
    for node in phrase.nodes:
        token = following.get(node)
        misc = "SpaceAfter=No" if token and not token.space_after else "_"
        if token and len(token.nodes) == 2:
            span = "-".join(identifiers[part] for part in token.nodes)
            lines.append("\t".join([span, token.form, *["_"] * 7, misc]))
            misc = "_"
        lines.append(_line(node, identifiers, misc))
    return "\n".join(lines) + "\n\n"
