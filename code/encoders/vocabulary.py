"""A tokenizer cut to the pieces that given texts use, such that none of them is split differently.

Each row of the embedding matrix costs time in every step of full fine-tuning, whether a sentence
reads it or not. WordPiece takes the longest piece that fits (Wu et al. 2016), Unigram the most
probable sequence of pieces (Kudo 2018): where only pieces that were not taken go, the pieces that
were taken stay the longest and the most probable ones.
"""

import json
import unicodedata
from collections.abc import Collection, Sequence

from tokenizers import Tokenizer

from study.errors import StudyError

SPACE = "\u2581"  # SentencePiece's mark of a word's beginning
_INSIDE = "##"  # WordPiece's mark of a piece that does not begin a word


def used_pieces(tokenizer: Tokenizer, texts: Collection[str]) -> list[int]:
    """Ids of the pieces to keep, ascending.

    These are the special pieces, the pieces of the texts, and every single character of Latin
    script or of none, so that any other Latin text can still be read.

    Args:
        tokenizer: over the whole vocabulary.
        texts: each is split on its own.
    """
    kept = set(tokenizer.get_added_tokens_decoder())
    for encoding in tokenizer.encode_batch(sorted(texts)):
        kept.update(encoding.ids)
    kept.update(i for piece, i in tokenizer.get_vocab().items() if _is_character(piece))
    return sorted(kept)


def keep_pieces(tokenizer: Tokenizer, kept: Sequence[int]) -> Tokenizer:
    """The tokenizer over these pieces alone, numbered anew in the order of ``kept``.

    Raises:
        StudyError: its model is neither WordPiece nor Unigram.
    """
    state, new = json.loads(tokenizer.to_str()), {old: i for i, old in enumerate(kept)}
    model = state["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in kept]
        model["unk_id"] = new[model["unk_id"]]
    elif model["type"] == "WordPiece":
        model["vocab"] = {piece: new[i] for piece, i in model["vocab"].items() if i in new}
    else:
        raise StudyError(f"expected a WordPiece or Unigram tokenizer, got {model['type']}")
    for token in state["added_tokens"]:
        token["id"] = new[token["id"]]
    for special in state["post_processor"]["special_tokens"].values():
        special["ids"] = [new[old] for old in special["ids"]]
    if state["padding"]:
        state["padding"]["pad_id"] = new[state["padding"]["pad_id"]]
    return Tokenizer.from_str(json.dumps(state))


def _is_character(piece: str) -> bool:
    text = piece.removeprefix(SPACE).removeprefix(_INSIDE)
    return len(text) <= 1 and all(map(_is_latin, text))


def _is_latin(character: str) -> bool:
    """Whether it is of Latin script or of none (a digit, punctuation, a symbol)."""
    return (
        character.isascii()
        or unicodedata.category(character)[0] in "PSZ"
        or unicodedata.name(character, "").startswith("LATIN")
    )
