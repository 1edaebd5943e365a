"""Checkpoints as people bring them: read as they were meant, or refused in a sentence."""

import builtins
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, pre_tokenizers, processors, trainers
from tokenizers import models as cutters
from transformers import AutoModel, PreTrainedTokenizerFast

from corpora.items import UPOS_TAGS, Sentence, TaggedSentence, Word
from encoders.checking import check_reading, check_window, find_removed
from encoders.models import find_checkpoint, load_base, load_config, load_tokenizer
from encoders.tokens import build_collator, encode_sentences, encode_tagged
from study.adapters import AdapterSettings
from study.errors import StudyError
from study.profiles import load_profile
from study.settings import MethodSettings
from tiny import build_config, build_tokenizer, save_checkpoint

FULL = load_profile("full").tasks["cola"].methods[0]
SPECIAL = ("cls_token", "sep_token", "pad_token", "unk_token")
WORDS = ["The", "cat", "sleeps", "don't", "."]


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_base(find_checkpoint(str(folder), ""), "sequence", 2, 1)[0].state_dict())


def cut(folder: Path, words: list[str]) -> tuple[list[str], list[str]]:
    """Pieces of a sentence, and those of its words given one by one."""
    tokenizer = load_tokenizer(find_checkpoint(str(folder), ""))
    sentence = encode_sentences([Sentence(" ".join(words), 1, "", "", "")], tokenizer, 128)
    tagged = TaggedSentence("s", tuple(Word(form, "X", "", "", -1) for form in words))
    windows = encode_tagged([tagged], tokenizer, UPOS_TAGS, 128)
    both = (data.features[0]["input_ids"] for data in (sentence, windows))
    running, given = (tokenizer.convert_ids_to_tokens(ids) for ids in both)
    return running, given


def save_byte_level(folder: Path, dropout: float | None = None) -> Path:
    """A byte-level BPE checkpoint whose tokenizer is of no model's own class."""
    tokenizer = Tokenizer(cutters.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=names,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["the cat sleeps . The dog barks don't"] * 9, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.model.dropout = dropout
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )
    config = build_config("roberta", vocab_size=len(fast))
    config.pad_token_id = 1
    AutoModel.from_config(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


# ------------------------------------------------------------------------------------ tokenizers


@pytest.mark.parametrize("left", [(), ("vocab.json",), ("merges.txt",)])
def test_a_checkpoint_without_its_tokenizer_is_refused(tmp_path: Path, left: tuple) -> None:
    folder = save_byte_level(tmp_path) if left else save_checkpoint(tmp_path)
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    for file in folder.glob("tokenizer*"):
        file.unlink()
    content = {"vocab.json": json.dumps(model["vocab"]), "merges.txt": "#version: 0.2\n"}
    for name in left:
        (folder / name).write_text(content[name])
    words = "`vocab` and `merges`" if left else "no tokenizer files"
    with pytest.raises(StudyError, match=words):
        load_tokenizer(find_checkpoint(str(folder), ""))


@pytest.mark.parametrize("token", SPECIAL)
def test_a_special_token_that_is_not_set_is_named(tmp_path: Path, token: str) -> None:
    folder = save_checkpoint(tmp_path)
    edit(folder / "tokenizer_config.json", lambda content: content.pop(token))
    with pytest.raises(StudyError, match=f"has no {token}"):
        load_tokenizer(find_checkpoint(str(folder), ""))


@pytest.mark.parametrize("token", SPECIAL)
def test_a_special_token_outside_the_vocabulary_is_named(tmp_path: Path, token: str) -> None:
    """It would stand for a row of the reserve, which no text has ever trained."""
    tokenizer = build_tokenizer()
    config = build_config("bert", vocab_size=len(tokenizer) + 8)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    edit(tmp_path / "tokenizer_config.json", lambda content: content.update({token: "<none>"}))
    with pytest.raises(StudyError, match=f"{token} '<none>', which its vocabulary lacks"):
        load_tokenizer(find_checkpoint(str(tmp_path), ""))


def test_padding_that_is_another_token_is_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    edit(folder / "tokenizer_config.json", lambda content: content.update(pad_token="[SEP]"))
    with pytest.raises(StudyError, match=r"pad_token '\[SEP\]' is its sep_token too"):
        load_tokenizer(find_checkpoint(str(folder), ""))


@pytest.mark.parametrize(
    ("entries", "words"),
    [(-8, "ids up to .* embeddings"), (300, "entries, but the model was made for")],
)
def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path, entries: int, words: str) -> None:
    tokenizer = build_tokenizer()
    config = build_config("bert", vocab_size=len(tokenizer) + entries)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(StudyError, match=words):
        load_tokenizer(find_checkpoint(str(tmp_path), ""))


def test_rows_that_fill_up_the_embeddings_are_allowed(tmp_path: Path) -> None:
    tokenizer = build_tokenizer()
    config = build_config("bert", vocab_size=-(-len(tokenizer) // 64) * 64)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert config.vocab_size > len(load_tokenizer(find_checkpoint(str(tmp_path), "")))


def test_a_tokenizer_that_knows_none_of_the_words_is_refused(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(find_checkpoint(str(save_checkpoint(tmp_path)), ""))

    def check(text: str) -> None:
        data = encode_sentences([Sentence(text, 1, "", "", "")], tokenizer, 32)
        check_reading(data, tokenizer, "here")

    check("the cat sleeps кот")
    with pytest.raises(StudyError, match=r"no piece for 75% of .*\[UNK\]"):
        check("кот спит the мышь")


def test_a_tokenizer_that_takes_all_text_away_is_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    nothing = {"type": "Replace", "pattern": {"Regex": "."}, "content": ""}
    edit(folder / "tokenizer.json", lambda content: content.update(normalizer=nothing))
    tokenizer = load_tokenizer(find_checkpoint(str(folder), ""))
    data = encode_sentences([Sentence("the cat sleeps", 1, "", "", "")], tokenizer, 32)
    with pytest.raises(StudyError, match="leaves nothing of 100% of the training sentences"):
        check_reading(data, tokenizer, "here")


@pytest.mark.parametrize(
    "other", [{}, {"tokenizer_class": None}, {"tokenizer_class": "RobertaTokenizer"}]
)
def test_text_is_cut_as_tokenizer_json_says_whatever_a_class_would_do(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    """transformers lowers text where nothing says ``do_lower_case``, and trusts the class named."""
    folder = save_checkpoint(tmp_path)
    expected = cut(folder, ["Katze", "schläft", "the"])
    if other:
        edit(folder / "tokenizer_config.json", lambda content: content.update(other))
    else:
        (folder / "tokenizer_config.json").unlink()
    assert cut(folder, ["Katze", "schläft", "the"]) == expected
    assert "Katze" in expected[0]


def test_files_that_contradict_each_other_on_capitals_are_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    edit(folder / "tokenizer_config.json", lambda content: content.update(do_lower_case=False))
    load_tokenizer(find_checkpoint(str(folder), ""))
    edit(folder / "tokenizer_config.json", lambda content: content.update(do_lower_case=True))
    with pytest.raises(StudyError, match="do_lower_case = True, but tokenizer.json says False"):
        load_tokenizer(find_checkpoint(str(folder), ""))


def test_sides_and_inputs_are_ours_whatever_the_file_says(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    other = {
        "padding_side": "left",
        "truncation_side": "left",
        "model_input_names": ["attention_mask", "input_ids", "token_type_ids"],
        "model_max_length": 4,
    }
    edit(folder / "tokenizer_config.json", lambda content: content.update(other))
    checkpoint = find_checkpoint(str(folder), "")
    tokenizer = load_tokenizer(checkpoint)
    assert tokenizer.padding_side == "right"
    texts = ["the cat sleeps", "a dog barks . " * 3]
    sentences = [Sentence(text, 1, "", "", "") for text in texts]
    data = encode_sentences(sentences, tokenizer, 8)
    assert [len(feature["input_ids"]) for feature in data.features] == [5, 8]
    assert tokenizer.decode(data.features[1]["input_ids"][1:4]) == "a dog barks"
    collate, model = build_collator("sequence", tokenizer), load_base(checkpoint, "token", 2, 1)[0]
    alone, beside = (collate(data.features[:stop]) for stop in (1, 2))
    assert alone["input_ids"].shape == (1, 5) and beside["input_ids"].shape == (2, 8)
    with torch.no_grad():
        first, second = (
            model.eval()(batch["input_ids"], batch["attention_mask"]).logits[0, :5]
            for batch in (alone, beside)
        )
    assert torch.allclose(first, second, atol=1e-6)


def test_words_of_byte_level_tokenizers_are_read_as_in_running_text(tmp_path: Path) -> None:
    running, given = cut(save_byte_level(tmp_path), WORDS)
    assert running == given
    assert running[0] == "<s>" and running[-1] == "</s>"
    assert [piece for piece in running if "cat" in piece] == ["Ġcat"]


def test_words_of_a_model_s_own_class_are_read_as_in_running_text(tmp_path: Path) -> None:
    folder = save_byte_level(tmp_path)
    edit(
        folder / "tokenizer_config.json",
        lambda content: content.update(tokenizer_class="RobertaTokenizer"),
    )
    running, given = cut(folder, WORDS)
    assert running == given and "Ġcat" in running


def test_special_tokens_stand_around_sentences_and_words_without_a_template(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    edit(folder / "tokenizer.json", lambda content: content.update(post_processor=None))
    running, given = cut(folder, ["the", "cat"])
    assert running == given == ["[CLS]", "the", "cat", "[SEP]"]


def test_a_template_with_other_special_tokens_is_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    edit(folder / "tokenizer_config.json", lambda content: content.update(cls_token="[MASK]"))
    with pytest.raises(StudyError, match=r"puts \[CLS\] \[SEP\] around a sentence, but names"):
        load_tokenizer(find_checkpoint(str(folder), ""))


def test_a_word_is_cut_the_same_way_each_time(tmp_path: Path) -> None:
    folder = save_byte_level(tmp_path, dropout=0.5)
    assert '"dropout":0.5' in (folder / "tokenizer.json").read_text().replace(" ", "")
    assert len({tuple(cut(folder, WORDS)[0]) for _ in range(20)}) == 1


def test_a_piece_that_spans_words_is_refused() -> None:
    tokenizer = Tokenizer(cutters.Unigram([("<u>", 0.0), ("▁of▁the", -1.0), ("▁", -9.0)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(split=False)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<u>")
    words = tuple(Word(form, "X", "", "", -1) for form in ("of", "the"))
    with pytest.raises(StudyError, match="reads 'of' and 'the' as one piece"):
        encode_tagged([TaggedSentence("s", words)], fast, UPOS_TAGS, 16)


def lowercase(folder: Path, cased: bool) -> Path:
    """A BERT vocabulary alone: transformers lowers text and drops accents unless told otherwise."""
    save_checkpoint(folder)
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    pieces = sorted(vocabulary, key=vocabulary.get)
    if not cased:
        plain = (p.isascii() and (p == p.lower() or p[0] == "[") for p in pieces)
        pieces = [p if ok else f"x{n}" for n, (p, ok) in enumerate(zip(pieces, plain, strict=True))]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    return folder


def test_what_a_tokenizer_takes_away_from_its_own_vocabulary_is_found(tmp_path: Path) -> None:
    def found(folder: Path) -> tuple[str, ...]:
        return find_removed(load_tokenizer(find_checkpoint(str(folder), "")))

    assert found(lowercase(tmp_path / "lowered", cased=True)) == ("case", "accents")
    assert found(lowercase(tmp_path / "uncased", cased=False)) == ()
    assert found(save_checkpoint(tmp_path / "cased")) == ()
    assert found(save_byte_level(tmp_path / "bytes")) == ()


# --------------------------------------------------------------------------------------- weights


QUERY = "encoder.layer.0.attention.self.query.weight"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda query: {QUERY: query * float("nan")}, "infinite or no numbers"),
        (lambda query: {QUERY: query.half() + float("inf")}, "infinite or no numbers"),
        (lambda query: {QUERY: (100 * query).to(torch.int8)}, "int8: quantised"),
        (lambda query: {QUERY: query.to(torch.float8_e4m3fn)}, "float8_e4m3fn: quantised"),
        (lambda query: {QUERY: query > 0}, "bool: quantised"),
        (
            lambda query: {QUERY.replace("weight", "lora_A.weight"): query[:4].clone()},
            "has no place",
        ),
        (lambda query: {QUERY.replace("weight", "absmax"): query[:4].clone()}, "has no place"),
    ],
)
def test_weights_that_stand_for_others_are_refused(
    tmp_path: Path, change: Callable[[torch.Tensor], dict[str, torch.Tensor]], words: str
) -> None:
    folder = save_checkpoint(tmp_path)
    file = folder / "model.safetensors"
    state = load_file(file)
    save_file(state | change(state[QUERY]), file)
    with pytest.raises(StudyError, match=rf"query\S* .*{words}"):
        weights(folder)


def test_weights_in_half_precision_are_taken(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    before = weights(folder)
    file = folder / "model.safetensors"
    save_file({name: value.half() for name, value in load_file(file).items()}, file)
    after = weights(folder)
    assert all(value.dtype == torch.float32 for value in after.values())
    assert all(torch.allclose(value, after[name], atol=1e-3) for name, value in before.items())


def test_a_number_of_the_configuration_is_one(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    edit(folder / "config.json", lambda content: content.update(layer_norm_eps=float("nan")))
    with pytest.raises(StudyError, match="layer_norm_eps = nan, expected a finite number"):
        load_config(find_checkpoint(str(folder), ""))


# ----------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS"),
        (b"<!DOCTYPE html>\n<html>", "answer of a server"),
        (b"Entry not found", "answer of a server"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "compressed"),
    ],
)
def test_what_stands_in_for_a_file_of_a_checkpoint_is_named(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    folder = save_checkpoint(tmp_path)
    (folder / name).write_bytes(content)
    with pytest.raises(StudyError, match=rf"{name}: expected the file itself, got .*{said}"):
        find_checkpoint(str(folder), "")


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("../blobs/none")
    with pytest.raises(StudyError, match=r"a link to \.\./blobs/none, which is not there"):
        find_checkpoint(str(folder), "")


def test_a_folder_without_a_configuration_is_no_name_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_checkpoint(tmp_path / "model")
    (folder / "config.json").unlink()
    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    for name in (str(folder), "model", "some/model"):
        with pytest.raises(StudyError, match="model: no config.json in the checkpoint"):
            find_checkpoint(name, "0" * 40)


def test_a_damaged_file_of_a_folder_is_no_matter_of_the_network(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    (folder / "tokenizer.json").write_text("[]")
    with pytest.raises(StudyError, match="cannot be read: .*(?s:.*)fetch all its files") as caught:
        load_tokenizer(find_checkpoint(str(folder), ""))
    assert "network" not in str(caught.value)


# --------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("family", "positions", "prefix", "longest"),
    [("bert", 64, 0, 64), ("bert", 64, 20, 44), ("roberta", 64, 0, 63), ("distilbert", 64, 0, 64)],
)
def test_windows_are_no_longer_than_the_positions(
    tmp_path: Path, family: str, positions: int, prefix: int, longest: int
) -> None:
    config = build_config(family, vocab_size=len(build_tokenizer()))
    config.max_position_embeddings = positions
    AutoModel.from_config(config).save_pretrained(tmp_path)
    checkpoint = find_checkpoint(str(tmp_path), "")

    def method(length: int) -> MethodSettings:
        training = replace(FULL.training, max_length=length)
        return replace(
            FULL,
            training=training,
            adapter=AdapterSettings.of("PREFIX_TUNING", num_virtual_tokens=prefix)
            if prefix
            else None,
        )

    check_window(load_config(checkpoint), method(longest), "here")
    with pytest.raises(StudyError, match=f"set max_length = {longest} or less"):
        check_window(load_config(checkpoint), method(longest + 1), "here")
    model = load_base(checkpoint, "token", 2, 1)[0].eval()
    if not prefix:
        ids = torch.full((1, longest), 7)
        assert model(ids).logits.shape == (1, longest, 2)
        with pytest.raises((IndexError, RuntimeError)):
            model(torch.full((1, longest + 1), 7))


# ---------------------------------------------------------------- config.json and what lies beside


def compute(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and gradient of a step with dropout."""
    model = load_base(find_checkpoint(str(folder), ""), "sequence", 2, 1)[0].train()
    torch.manual_seed(0)
    ids = torch.arange(5, 5 + 2 * 9).reshape(2, 9)
    output = model(ids, torch.ones_like(ids), labels=torch.tensor([0, 1]))
    output.loss.backward()
    return output.loss, next(model.parameters()).grad


OTHER_USES: dict[str, Any] = {
    "problem_type": "regression",
    "id2label": {"0": "a", "1": "b", "2": "c"},
    "num_labels": 1,
    "classifier_dropout": 0.9,
    "chunk_size_feed_forward": 7,
    "attn_implementation": "eager",
    "output_attentions": True,
    "output_hidden_states": True,
    "return_dict": False,
    "torch_dtype": "float16",
    "dtype": "bfloat16",
    "transformers_weights": "other.safetensors",
    "gradient_checkpointing": True,
    "fusion_config": {"patch_embeddings": True},
    "per_layer_config": [{"hidden_act": "relu"}, {}],
    "pruned_heads": {"0": [0]},
    "torchscript": True,
    "architectures": ["BertLMHeadModel"],
}


@pytest.mark.parametrize("name", OTHER_USES)
def test_what_belongs_to_another_use_of_the_weights_changes_nothing(
    tmp_path: Path, name: str
) -> None:
    before = compute(save_checkpoint(tmp_path))
    other = {n: v + 1 for n, v in load_file(tmp_path / "model.safetensors").items()}
    save_file(other, tmp_path / "other.safetensors", {"format": "pt"})
    edit(tmp_path / "config.json", lambda content: content.update({name: OTHER_USES[name]}))
    after = compute(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_what_decides_the_model_is_kept(tmp_path: Path) -> None:
    """Guards the test above."""
    before = compute(save_checkpoint(tmp_path))
    for name, value in {"hidden_act": "relu", "hidden_dropout_prob": 0.0}.items():
        edit(tmp_path / "config.json", lambda content, n=name, v=value: content.update({n: v}))
        after = compute(tmp_path)
        assert not torch.equal(before[0], after[0]), name
        before = after


def add_adapter(folder: Path) -> None:
    model = AutoModel.from_pretrained(folder)
    adapted = get_peft_model(
        model, LoraConfig(target_modules=["query"], init_lora_weights=False, r=2)
    )
    adapted.save_pretrained(folder)


def add_shard(folder: Path) -> None:
    other = {n: v + 1 for n, v in load_file(folder / "model.safetensors").items()}
    save_file(other, folder / "shard-00000-model-00001-of-00001.safetensors", {"format": "pt"})


def add_generation(folder: Path) -> None:
    (folder / "generation_config.json").write_text('{"max_length": 1, "pad_token_id": 3}')


def add_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "requirements.txt").write_text("no-such-package==1")


@pytest.mark.parametrize("add", [add_adapter, add_shard, add_generation, add_template])
def test_what_lies_beside_the_weights_changes_nothing(
    tmp_path: Path, add: Callable[[Path], None]
) -> None:
    folder = save_checkpoint(tmp_path)
    before, pieces, files = weights(folder), cut(folder, WORDS), set(folder.iterdir())
    add(folder)
    assert set(folder.iterdir()) > files
    after = weights(folder)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert cut(folder, WORDS) == pieces


def test_weights_in_several_files_are_read_by_their_index(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    before = weights(folder)
    AutoModel.from_pretrained(folder).save_pretrained(folder, max_shard_size="9KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    assert all(torch.equal(before[name], value) for name, value in weights(folder).items())


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("config.json", {"auto_map": {"AutoConfig": "ours.Ours"}}, "code .* is never run"),
        (
            "config.json",
            {"auto_map": {"AutoConfig": "ours.Ours"}, "model_type": "ourbert"},
            "code .* is never run",
        ),
        ("config.json", {"model_type": "ourbert"}, "'ourbert' is not supported"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": [None, "o.O"]}}, "is never run"),
        ("config.json", {"quantization_config": {"quant_method": "awq"}}, "quantised weights"),
        ("config.json", {"is_decoder": True}, "is_decoder: the weights are a decoder's"),
        ("config.json", {"position_embedding_type": "relative_key"}, "'relative_key'"),
    ],
)
def test_what_would_be_another_model_is_refused_without_a_question(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    change: dict[str, Any],
    words: str,
) -> None:
    folder = save_checkpoint(tmp_path / "model")
    (folder / "ours.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Ours: pass\n")
    (folder / "o.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass O: pass\n")
    edit(folder / file, lambda content: content.update(change))
    asked = []
    monkeypatch.setattr(builtins, "input", lambda *said: asked.append(said) or "y")
    with pytest.raises(StudyError, match=words):
        load_tokenizer(find_checkpoint(str(folder), ""))
    assert not asked and not (tmp_path / "ran").exists()
