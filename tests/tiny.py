"""Tiny random encoders and tokenizers for the tests: real classes, no network, milliseconds.

The models are built from a configuration, so the code under test meets the same classes and the
same parameter names as with a checkpoint of the hub; only the sizes differ.
"""

import dataclasses
import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import nn
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

FAMILIES = ("bert", "roberta", "distilbert", "electra")
OTHERS = (
    "xlm-roberta",
    "camembert",
    "deberta-v2",
    "modernbert",
    "mpnet",
    "albert",
    "nomic_bert",
    "roformer",
)
TASKS = ("sequence", "token")
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LETTERS = string.ascii_letters + string.digits + string.punctuation + "äöüÄÖÜßéèêàáçñ…–—“”„‘’«»€"
WORDS = ("the", "cat", "sleeps", "die", "Katze", "schläft", "a", "dog", "barks", ".")
QUERY_AND_VALUE: Mapping[str, list[str]] = MappingProxyType(
    {family: ["query", "value"] for family in FAMILIES} | {"distilbert": ["q_lin", "v_lin"]}
)
UNIGRAM = ("xlm-roberta", "camembert", "deberta-v2", "albert")
VOCAB_SIZE = 512  # holds LETTERS twice (alone, continued) and some 270 words

# What a family has besides the sizes that all share.
_OWN: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "electra": {"embedding_size": 8},  # smaller than the width: projected, as in the small one
        "roberta": {"type_vocab_size": 1},
        "xlm-roberta": {"type_vocab_size": 1},
        "camembert": {"type_vocab_size": 1},
        "deberta-v2": {
            "relative_attention": True,
            "position_buckets": 8,
            "share_att_key": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "norm_rel_ebd": "layer_norm",
            "type_vocab_size": 0,
        },
        "albert": {"embedding_size": 8},
        "mpnet": {"pad_token_id": 1},
        "modernbert": {
            "bos_token_id": 2,
            "eos_token_id": 3,
            "cls_token_id": 2,
            "sep_token_id": 3,
            "global_attn_every_n_layers": 2,
            "local_attention": 8,
        },
    }
)
_AUTO: Mapping[str, Any] = MappingProxyType(
    {"sequence": AutoModelForSequenceClassification, "token": AutoModelForTokenClassification}
)


def build_tokenizer(words: Iterable[str] = WORDS) -> PreTrainedTokenizerFast:
    """A cased WordPiece tokenizer in which no word of ``LETTERS`` is unknown.

    The words are whole pieces, in their order of first appearance; any other word falls apart into
    single letters (``x``, ``##y``, ``##z``).
    """
    words = list(words)
    letters = sorted(set(LETTERS).union(*words))
    pieces = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=500)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    names = ["input_ids", "attention_mask"]  # DistilBERT takes no token types
    return _fast(tokenizer, model_input_names=names, model_max_length=128)


def build_family_tokenizer(family: str, words: Iterable[str] = WORDS) -> PreTrainedTokenizerFast:
    """A tokenizer of the kind that a family has, trained on these words."""
    names = {"byte_level": ("roberta", "modernbert"), "unigram": UNIGRAM}
    kind = next((kind for kind, families in names.items() if family in families), "wordpiece")
    if kind == "wordpiece" and family != "mpnet":
        return build_tokenizer(words)
    special = list(SPECIAL_TOKENS)
    if family == "mpnet":  # its positions are counted from the id 1
        special[:2] = special[1::-1]
    text = [" ".join(words)] * 4
    trainer: Any
    if kind == "byte_level":
        first = family == "roberta"
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=first)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=VOCAB_SIZE,
            special_tokens=special,
            initial_alphabet=alphabet,
            show_progress=False,
        )
    elif kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=VOCAB_SIZE,
            special_tokens=special,
            unk_token="[UNK]",
            initial_alphabet=sorted(set(LETTERS)),
            show_progress=False,
        )
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=VOCAB_SIZE,
            special_tokens=special,
            initial_alphabet=sorted(set(LETTERS)),
            show_progress=False,
        )
    tokenizer.train_from_iterator(text, trainer)
    ids = {token: tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=list(ids.items())
    )
    return _fast(tokenizer)


def _fast(tokenizer: Tokenizer, **options: Any) -> PreTrainedTokenizerFast:
    """What transformers makes of a tokenizer whose vocabulary has ``SPECIAL_TOKENS``."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        **options,
    )


def build_config(
    family: str,
    num_labels: int = 2,
    vocab_size: int = VOCAB_SIZE,
    layers: int = 2,
    width: int = 16,
    heads: int = 2,
    dropout: float = 0.1,
) -> PreTrainedConfig:
    """The configuration of a tiny encoder; feed-forward width is twice the width."""
    common: dict[str, Any] = {
        "num_labels": num_labels,
        "vocab_size": vocab_size,
        "max_position_embeddings": 130,  # RoBERTa numbers positions from pad_token_id + 1
        "pad_token_id": 0,
    }
    if family == "distilbert":
        return CONFIG_MAPPING[family](
            dim=width,
            n_layers=layers,
            n_heads=heads,
            hidden_dim=2 * width,
            dropout=dropout,
            attention_dropout=dropout,
            seq_classif_dropout=dropout,
            **common,
        )
    sizes = {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 2 * width,
    }
    known = {field.name for field in dataclasses.fields(CONFIG_MAPPING[family])}
    chances = dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), dropout)
    own = {name: chance for name, chance in chances.items() if name in known}
    return CONFIG_MAPPING[family](**(common | sizes | own | dict(_OWN.get(family, {}))))


def build_model(
    family: str,
    task: str,
    num_labels: int = 2,
    seed: int = 0,
    vocab_size: int = VOCAB_SIZE,
    layers: int = 2,
    width: int = 16,
    heads: int = 2,
    dropout: float = 0.1,
) -> nn.Module:
    """A random classifier in evaluation mode; the global random state is left as it was."""
    config = build_config(family, num_labels, vocab_size, layers, width, heads, dropout)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _AUTO[task].from_config(config).eval()


def save_checkpoint(
    folder: Path,
    family: str = "bert",
    words: Iterable[str] = WORDS,
    seed: int = 0,
    layers: int = 2,
    width: int = 16,
    heads: int = 2,
    dropout: float = 0.1,
    kind: Any = AutoModel,
) -> Path:
    """Write a base-model checkpoint as the hub has them: config, safetensors, tokenizer files.

    With ``AutoModelForPreTraining`` as kind it has the heads of its pretraining: of BERT the pooler
    and the masked-language-model head, as the published ones.
    """
    own = family in OTHERS  # the first four keep the tokenizer that most tests were written for
    tokenizer = build_family_tokenizer(family, words) if own else build_tokenizer(words)
    config = build_config(
        family,
        vocab_size=len(tokenizer),
        layers=layers,
        width=width,
        heads=heads,
        dropout=dropout,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        kind.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def build_batch(
    vocab_size: int = VOCAB_SIZE, batch: int = 4, length: int = 12, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Random token ids (B, T) with attention masks of different lengths, longest first."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(len(SPECIAL_TOKENS), vocab_size, (batch, length), generator=generator)
    lengths = torch.linspace(length, max(3, length // 2), batch).round().long()
    mask = (torch.arange(length)[None, :] < lengths[:, None]).long()
    return {"input_ids": ids * mask, "attention_mask": mask}
