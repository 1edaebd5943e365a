"""What a checkpoint's files must hold before anything trains, besides ``config.json``."""

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from encoders.configuration import padding_of_positions
from encoders.tokens import Encoded
from study.errors import StudyError
from study.settings import MethodSettings

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

SPECIAL_TOKENS = ("cls_token", "sep_token", "pad_token", "unk_token")
MOSTLY_UNKNOWN = 0.5  # share of unknown pieces from which a tokenizer does not read the text
_FEW = 0.01  # share of a vocabulary below which pieces are no evidence of what it was made from


def check_window(config: "PreTrainedConfig", method: MethodSettings, where: str) -> None:
    """Refuses windows that are longer than the model's positions.

    Raises:
        StudyError: with the longest ``max_length`` that the model can read.
    """
    if getattr(config, "max_position_embeddings", None) is None:
        return
    positions = int(config.max_position_embeddings)
    if (padding := padding_of_positions(config)) is not None:
        positions -= padding + 1
    options = method.adapter.options if method.adapter else {}
    before = int(options.get("num_virtual_tokens", 0))
    longest = positions - before
    if method.training.max_length > longest:
        beside = f", of which a prefix takes {before}" if before else ""
        raise StudyError(
            f"max_length is {method.training.max_length}, but the model has {positions} positions"
            f"{beside}",
            where=where,
            remedy=f"set max_length = {longest} or less for this model in experiments.local.toml",
        )


def check_tokenizer(
    tokenizer: Any, config: "PreTrainedConfig", stored: Mapping[str, int], where: str
) -> None:
    """Refuses a tokenizer that cannot be this model's.

    Args:
        tokenizer: as transformers built it.
        config: of the model.
        stored: token -> id, as ``tokenizer.json`` has them; empty where there is none.
        where: the checkpoint, for messages.

    Raises:
        StudyError: naming what is wrong.
    """
    remedy = "take tokenizer and config.json from the same checkpoint"
    if not tokenizer.is_fast:
        raise StudyError(
            f"{type(tokenizer).__name__} does not say which characters a piece stands for",
            where=where,
            remedy="save it as tokenizer.json: AutoTokenizer.from_pretrained(...).save_pretrained",
        )
    _check_special_tokens(tokenizer, stored, where)
    own = set(stored) | set(tokenizer.backend_tokenizer.get_vocab(with_added_tokens=False))
    # A class adds its other special tokens (a mask) to a vocabulary without them; none is used.
    added = set(tokenizer.all_special_tokens) - own
    ids = {token: i for token, i in tokenizer.get_vocab().items() if token not in added}
    rows = int(config.vocab_size)
    token, highest = max(ids.items(), key=lambda item: item[1])
    if highest >= rows:
        raise StudyError(
            f"the tokenizer has ids up to {highest} ({token!r}), but the model has {rows} "
            "embeddings",
            where=where,
            remedy=remedy,
        )
    # Rows are often filled up to a multiple of 64 or 128, and some vocabularies keep a reserve.
    if len(ids) < max(rows / 2, 0.9 * (rows - 128)):
        raise StudyError(
            f"the tokenizer has {len(ids)} entries, but the model was made for {rows}",
            where=where,
            remedy=remedy,
        )
    if (padding := padding_of_positions(config)) not in (None, tokenizer.pad_token_id):
        raise StudyError(
            f"the tokenizer pads with the token {tokenizer.pad_token_id}, but this model numbers "
            f"its positions from pad_token_id = {padding}, as config.json has it",
            where=where,
            remedy=remedy,
        )


def check_weights(state: Mapping[str, Tensor], where: str) -> None:
    """Refuses weights that are no numbers, or numbers of a byte: such stand for others.

    Raises:
        StudyError: naming the first such tensor.
    """
    remedy = "take the checkpoint in float32, float16 or bfloat16, whole"
    for name, tensor in state.items():
        if tensor.dtype.itemsize == 1:
            problem = f"{name} is stored as {str(tensor.dtype).removeprefix('torch.')}: quantised"
            raise StudyError(
                f"{problem} weights cannot be trained in full", where=where, remedy=remedy
            )
        if not tensor.sum(dtype=torch.float32).isfinite():
            raise StudyError(
                f"{name} holds values that are infinite or no numbers", where=where, remedy=remedy
            )


def _check_special_tokens(tokenizer: Any, stored: Mapping[str, int], where: str) -> None:
    named = {name: getattr(tokenizer, name) for name in SPECIAL_TOKENS}
    own = tokenizer.backend_tokenizer.get_vocab(with_added_tokens=False)
    missing = [
        f"no {name}" if token is None else f"the {name} {token!r}, which its vocabulary lacks"
        for name, token in named.items()
        if token is None or not (str(token) in own or str(token) in stored)
    ]
    if missing:
        raise StudyError(
            f"the tokenizer has {'; '.join(missing)}",
            where=where,
            remedy=f"name its {', '.join(SPECIAL_TOKENS)} in tokenizer_config.json",
        )
    others = [name for name in named if name != "pad_token" and named[name] == tokenizer.pad_token]
    if others:
        raise StudyError(
            f"the tokenizer's pad_token {tokenizer.pad_token!r} is its {others[0]} too: what is "
            "read could not be told from padding",
            where=where,
            remedy="name a token of its own as pad_token in tokenizer_config.json",
        )
    frame = tokenizer("", verbose=False)["input_ids"]
    if frame and frame != [tokenizer.cls_token_id, tokenizer.sep_token_id]:
        tokens = " ".join(tokenizer.convert_ids_to_tokens(frame))
        raise StudyError(
            f"the tokenizer puts {tokens} around a sentence, but names {tokenizer.cls_token} and "
            f"{tokenizer.sep_token} as its cls_token and sep_token",
            where=where,
            remedy="make tokenizer.json and tokenizer_config.json say the same",
        )


def check_reading(data: Encoded, tokenizer: Any, where: str) -> None:
    """Refuses a tokenizer to which most of what is trained on is unknown, or that takes it away.

    Raises:
        StudyError: with the share.
    """
    empty = float((data.pieces == 0).mean())
    if empty > MOSTLY_UNKNOWN:
        raise StudyError(
            f"the tokenizer leaves nothing of {empty:.0%} of the training sentences",
            where=where,
            remedy="check that its files are whole and made for this language",
        )
    ids = [token for feature in data.features for token in feature["input_ids"][1:-1]]
    unknown = sum(token == tokenizer.unk_token_id for token in ids) / max(1, len(ids))
    if unknown > MOSTLY_UNKNOWN:
        raise StudyError(
            f"the tokenizer knows no piece for {unknown:.0%} of what the training sentences are "
            f"cut into: it reads {tokenizer.unk_token}",
            where=where,
            remedy="check that its files are whole and made for this language",
        )


def find_removed(tokenizer: Any) -> tuple[str, ...]:
    """What of its own vocabulary the tokenizer takes away from every text before it cuts it.

    Returns:
        ``case`` where capitals are lowered although pieces are written with them, ``accents``
        where marks are dropped although pieces carry them.
    """
    normalizer = tokenizer.backend_tokenizer.normalizer
    if normalizer is None:
        return ()
    pieces = set(tokenizer.get_vocab()) - set(tokenizer.get_added_vocab())
    pieces = {piece for piece in pieces - set(tokenizer.all_special_tokens) if piece[:1] != "<"}
    read = {piece: normalizer.normalize_str(piece) for piece in pieces}
    lowered = sum(_capitals(piece) > _capitals(text) for piece, text in read.items())
    stripped = sum(_marks(piece) > _marks(text) for piece, text in read.items())
    found = {"case": lowered, "accents": stripped}
    return tuple(name for name, count in found.items() if count > _FEW * len(pieces))


def _capitals(text: str) -> int:
    return sum(character.isupper() for character in text)


def _marks(text: str) -> int:
    return sum(unicodedata.category(c) == "Mn" for c in unicodedata.normalize("NFD", text))
