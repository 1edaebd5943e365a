import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.items import UPOS_TAGS, Corpus, Sentence, Split, TaggedSentence, Word
from corpora.loading import acceptability_items, load_corpus, tagging_items, training_vocabulary
from corpora.treebank import read_conllu
from corpora.tsv import read_acceptability
from study.errors import StudyError

DATA_DIR = os.environ.get("DATA_DIR")
needs_real_corpora = pytest.mark.skipif(
    not DATA_DIR or not (Path(DATA_DIR) / "cola").is_dir(),
    reason="needs the real corpora: set DATA_DIR to a folder with cola/ and ud/",
)

CONLLU = """\
# sent_id = s1
# text = I can't.
1\tI\tI\tPRON\tPRP\t_\t4\tnsubj\t_\t_
2-3\tcan't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tca\tcan\tAUX\tMD\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t0:root\tCopyOf=1
4\t.\t.\tPUNCT\t_\t_\t0\troot\t_\tNote=two  spaces

# sent_id = s2
1\tÄrger\tÄrger\tNOUN\tNN\t_\t_\t_\t_\t_

"""
COLA = (
    "gj04\t1\t\tThe cat sleeps.\n"
    "ks08\t0\t*\tCat the sleeps — no.\n"
    "mini-agreement\t0\t*\tThe cat sleep.\n"
)


@pytest.fixture(autouse=True)
def _no_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)


def write(folder: Path, text: str | bytes, name: str = "file") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def write_data_folder(folder: Path) -> Path:
    for part in ("in_domain_train", "in_domain_dev", "out_of_domain_dev"):
        write(folder, COLA.replace("cat", part), f"cola/{part}.tsv")
    for part in ("train", "dev", "test"):
        write(folder, CONLLU.replace("s1", part), f"ud/UD_English-Toy/en_toy-ud-{part}.conllu")
    return folder


# --- CoNLL-U ---------------------------------------------------------------------------------


def test_conllu_keeps_syntactic_words_only(tmp_path: Path) -> None:
    first, second = read_conllu(write(tmp_path, CONLLU))
    assert first == TaggedSentence(
        "s1",
        (
            Word("I", "PRON", "PRP", "nsubj", 4),
            Word("ca", "AUX", "MD", "aux", 4),
            Word("n't", "PART", "RB", "advmod", 4),
            Word(".", "PUNCT", "", "root", 0),
        ),
    )
    assert second == TaggedSentence("s2", (Word("Ärger", "NOUN", "NN", "", -1),))


def test_conllu_numbers_sentences_without_id(tmp_path: Path) -> None:
    path = write(tmp_path, re.sub(r"# sent_id.*\n", "", CONLLU))
    assert [sentence.sent_id for sentence in read_conllu(path)] == ["0", "1"]


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
def test_conllu_line_ends_and_byte_order_mark_change_nothing(tmp_path: Path, prefix: bytes) -> None:
    plain = read_conllu(write(tmp_path, CONLLU))
    windows = prefix + CONLLU.replace("\n", "\r\n").encode()
    assert read_conllu(write(tmp_path, windows)) == plain


forms = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).filter(
    lambda form: form.strip() and "  " not in form
)
names = st.text("abcdefgXYZ:-0123456789", max_size=5)


@st.composite
def tagged_sentences(draw: st.DrawFn) -> TaggedSentence:
    size = draw(st.integers(1, 8))
    words = []
    for index in range(1, size + 1):
        head = draw(st.integers(-1, size).filter(lambda head, own=index: head != own))
        tag = draw(st.sampled_from(UPOS_TAGS))
        words.append(Word(draw(forms), tag, draw(names), draw(names), head))
    return TaggedSentence(draw(st.text("abc-123", min_size=1, max_size=6)), tuple(words))


def to_conllu(sentence: TaggedSentence, rng: np.random.Generator) -> str:
    """CoNLL-U of a sentence, with ranges and empty nodes strewn in that must not be read."""
    lines = [f"# sent_id = {sentence.sent_id}", "# text = made up"]
    free_from = 1
    for index, word in enumerate(sentence.words, 1):
        if index >= free_from and index < len(sentence.words) and rng.random() < 0.4:
            lines.append(f"{index}-{index + 1}\tboth\t" + "\t".join("_" * 8))
            free_from = index + 2
        head = "_" if word.head < 0 else str(word.head)
        columns = [str(index), word.form, "_", word.upos, word.xpos or "_", "_", head]
        lines.append("\t".join([*columns, word.deprel or "_", "_", "_"]))
        if rng.random() < 0.3:
            lines.append(f"{index}.1\telided\t_\tVERB\t" + "\t".join("_" * 6))
    return "\n".join(lines) + "\n\n"


@settings(max_examples=60)
@given(st.lists(tagged_sentences(), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_written_conllu_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[TaggedSentence], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    text = "".join(to_conllu(sentence, rng) for sentence in sentences)
    assert read_conllu(write(tmp_path_factory.getbasetemp(), text, "read_back")) == sentences


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("PRON\tPRP", "PRON", 3, "expected 10 tab-separated columns, got 9"),
        ("PRON", "PRN", 3, "unknown tag 'PRN'"),
        ("PRON", "_", 3, "unknown tag '_'"),
        ("2\tca", "3\tca", 5, "expected the id 2, got 3"),
        ("4\t.", "6\t.", 8, "expected the id 4, got 6"),
        ("1\tI", "a\tI", 3, "expected an id"),
        ("2-3", "3-4", 4, "the range 3-4 does not fit after word 1"),
        ("2-3", "2-1", 4, "the range 2-1 does not fit"),
        ("2-3", "2-9", 8, "ends before its last word"),
        ("3.1", "3.2", 7, "expected the id 3.1, got 3.2"),
        ("3.1", "2.1", 7, "expected the id 3.1, got 2.1"),
        ("_\t4\tnsubj", "_\t5\tnsubj", 3, "the head 5 of word 1"),
        ("_\t4\tnsubj", "_\t1\tnsubj", 3, "the head 1 of word 1"),
        ("_\t4\tnsubj", "_\tx\tnsubj", 3, "expected a word index as head, got 'x'"),
        ("1\tI\tI", "1\t\tI", 3, "empty one"),
        ("1\tI\tI", "1\ta  b\tI", 3, "two spaces"),
        ("1\tÄrger", "# 1\tÄrger", 10, "expected words after the comments"),
        ("2\tca", "# late\n2\tca", 5, "expected 10 tab-separated columns, got 1"),
        ("nsubj\t_\t_\n", "nsubj\t_\t_\n\n", 3, "the head 4 of word 1 is no other word of its 1"),
        ("spaces\n\n#", "spaces\n#", 9, "expected 10 tab-separated columns, got 1"),
    ],
)
def test_malformed_conllu_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in CONLLU
    path = write(tmp_path, CONLLU.replace(old, new, 1))
    with pytest.raises(StudyError, match=message) as caught:
        read_conllu(path)
    assert caught.value.where == f"{path}:{line}"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "expected CoNLL-U sentences, got none"),
        (b"\n\n", "expected CoNLL-U sentences, got none"),
        (CONLLU[:-1], "blank line that closes the last sentence is missing"),
        (CONLLU[:-2], "the last line has no end"),
        (CONLLU.encode("latin-1", errors="replace"), "expected UTF-8 text, got the byte 0xc4"),
    ],
)
def test_cut_off_or_unreadable_conllu_is_refused(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        read_conllu(write(tmp_path, text))


def test_bad_byte_is_reported_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, CONLLU.encode("latin-1"))
    with pytest.raises(StudyError) as caught:
        read_conllu(path)
    assert caught.value.where == f"{path}:11"


def try_to_read(read: Callable[[Path], list], path: Path) -> list | None:
    try:
        return read(path)
    except StudyError:
        return None


def test_conllu_truncated_anywhere_is_a_prefix_or_refused(tmp_path: Path) -> None:
    whole = read_conllu(write(tmp_path, CONLLU))
    data = CONLLU.encode()
    outcomes = [try_to_read(read_conllu, write(tmp_path, data[:end])) for end in range(len(data))]
    read = [outcome for outcome in outcomes if outcome is not None]
    assert read == [whole[:1]]  # only the cut between the two sentences leaves a whole file
    assert outcomes.count(None) == len(data) - 1


def test_truncation_of_larger_file_is_a_prefix_or_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = (Word("Haus", "NOUN", "NN", "root", 0), Word("§", "SYM", "", "dep", 1))
    sentences = [TaggedSentence(f"s{i}", words) for i in range(40)]
    data = "".join(to_conllu(sentence, rng) for sentence in sentences).encode()
    ends = {data.index(b"\n\n", start) + 2 for start in range(0, len(data) - 2, 25)}
    ends |= set(rng.integers(0, len(data), 300).tolist())
    read = [try_to_read(read_conllu, write(tmp_path, data[:end])) for end in sorted(ends)]
    kept = [outcome for outcome in read if outcome is not None]
    assert all(outcome == sentences[: len(outcome)] for outcome in kept)
    assert len(kept) > 20
    assert None in read


@settings(max_examples=150)
@given(st.integers(0, len(CONLLU.encode()) - 1), st.binary(max_size=4))
def test_damaged_conllu_raises_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, position: int, junk: bytes
) -> None:
    data = bytearray(CONLLU.encode())
    data[position : position + 1] = junk
    path = write(tmp_path_factory.getbasetemp(), bytes(data), "damaged")
    sentences = try_to_read(read_conllu, path)
    assert sentences is None or all(w.upos in UPOS_TAGS for s in sentences for w in s.words)


# --- acceptability files ---------------------------------------------------------------------


def test_acceptability_columns(tmp_path: Path) -> None:
    assert read_acceptability(write(tmp_path, COLA), "in") == [
        Sentence("The cat sleeps.", 1, "gj04", "in", ""),
        Sentence("Cat the sleeps — no.", 0, "ks08", "in", ""),
        Sentence("The cat sleep.", 0, "miniature", "in", "agreement"),
    ]


def test_acceptability_needs_no_final_newline(tmp_path: Path) -> None:
    whole = read_acceptability(write(tmp_path, COLA), "in")
    assert read_acceptability(write(tmp_path, COLA[:-1]), "in") == whole


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("ks08\t0\t*\t", "ks08\t0\t", 2, "expected 4 tab-separated columns, got 3"),
        ("sleeps —", "sleeps\t—", 2, "expected 4 tab-separated columns, got 5"),
        ("ks08\t0", "ks08\t2", 2, "expected the label 0 or 1 in column 2, got '2'"),
        ("ks08\t0", "ks08\t", 2, "expected the label 0 or 1 in column 2, got ''"),
        ("Cat the sleeps — no.", "  ", 2, "expected a sentence in column 4"),
        ("\nks08", "\n\nks08", 2, "expected 4 tab-separated columns, got 1"),
        ("sleep.\n", "slee", 3, "the file is cut off"),
    ],
)
def test_malformed_acceptability_file_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in COLA
    path = write(tmp_path, COLA.replace(old, new, 1))
    with pytest.raises(StudyError, match=message) as caught:
        read_acceptability(path, "in")
    assert caught.value.where == f"{path}:{line}"


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "got an empty file"), (COLA.encode("utf-16"), "expected UTF-8 text")],
)
def test_empty_or_unreadable_acceptability_file_is_refused(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        read_acceptability(write(tmp_path, text), "in")


def test_acceptability_truncated_anywhere_is_a_prefix_or_refused(tmp_path: Path) -> None:
    whole = read_acceptability(write(tmp_path, COLA), "")
    data = COLA.encode()
    outcomes = [
        try_to_read(lambda path: read_acceptability(path, ""), write(tmp_path, data[:end]))
        for end in range(len(data))
    ]
    read = [outcome for outcome in outcomes if outcome is not None]
    # With and without the newline after each of three sentences, but for the whole file.
    assert [len(sentences) for sentences in read] == [1, 1, 2, 2, 3]
    assert all(sentences == whole[: len(sentences)] for sentences in read)


# --- corpora ---------------------------------------------------------------------------------


def test_local_corpora_have_one_interface(tmp_path: Path) -> None:
    folder = write_data_folder(tmp_path)
    cola = load_corpus("cola", "local", ("train", "validation"), folder)
    treebank = load_corpus("en_toy", "local", ("train", "validation", "test"), folder)
    assert (cola.name, treebank.name) == ("cola", "en_toy")
    assert [item.domain for item in cola.splits["validation"].items] == ["in"] * 3 + ["out"] * 3
    assert [split.items[0].sent_id for split in treebank.splits.values()] == [
        "train",
        "dev",
        "test",
    ]
    assert all(name == split.name for name, split in treebank.splits.items())
    assert "local files" in cola.source


def test_data_dir_replaces_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(write_data_folder(tmp_path)))
    for origin in ("hub", "local"):
        assert len(load_corpus("en_toy", origin, ("train",)).splits["train"].items) == 2


def test_data_dir_leaves_miniature_corpora_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(write_data_folder(tmp_path)))
    corpus = load_corpus("cola", "miniature", ("validation",))
    assert "miniature" in corpus.source


@pytest.mark.parametrize(
    ("name", "origin", "splits", "message"),
    [
        ("cola", "hup", ("train",), "unknown origin 'hup'.*hub, local, miniature"),
        ("cola", "local", ("test",), "no split 'test'.*train, validation"),
        ("en_toy", "local", ("dev",), "no split 'dev'.*train, validation, test"),
        ("en_nix", "local", ("train",), r"train split of corpus 'en_nix'.*no such file"),
    ],
)
def test_impossible_requests_are_refused(
    tmp_path: Path, name: str, origin: str, splits: tuple[str, ...], message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        load_corpus(name, origin, splits, write_data_folder(tmp_path))


def test_missing_data_says_what_to_use_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StudyError, match="DATA_DIR is not set"):
        load_corpus("cola", "local", ("train",))
    with pytest.raises(StudyError, match="does not exist") as caught:
        load_corpus("cola", "local", ("train",), tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert "--profile demo" in str(caught.value)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with pytest.raises(StudyError, match=r"in_domain_train\.tsv.*no such file"):
        load_corpus("cola", "hub", ("train",))


def test_two_files_of_one_treebank_are_refused(tmp_path: Path) -> None:
    write_data_folder(tmp_path)
    write(tmp_path, CONLLU, "ud/UD_English-Other/en_toy-ud-train.conllu")
    with pytest.raises(StudyError, match="expected one file of 'en_toy', got 2"):
        load_corpus("en_toy", "local", ("train",), tmp_path)


def test_content_hash_follows_content_and_order() -> None:
    a, b = Sentence("A.", 1, "x", "in", ""), Sentence("B.", 0, "x", "in", "")
    base = Split("train", (a, b)).content_hash
    assert re.fullmatch(r"[0-9a-f]{64}", base)
    assert Split("validation", (a, b)).content_hash == base
    assert Split("train", (replace(a, source="glue", domain=""), b)).content_hash == base
    different = [(b, a), (a,), (replace(a, label=0), b), (replace(a, text="A!"), b)]
    assert len({base} | {Split("train", items).content_hash for items in different}) == 5


@pytest.mark.parametrize(
    "change", [{"form": "b"}, {"upos": "X"}, {"xpos": "NNS"}, {"deprel": "obj"}, {"head": -1}]
)
def test_content_hash_of_words_covers_every_column(change: dict[str, str | int]) -> None:
    word = Word("a", "NOUN", "NN", "root", 0)
    one = Split("train", (TaggedSentence("s", (word,)),))
    other = Split("train", (TaggedSentence("s", (replace(word, **change),)),))
    assert one.content_hash != other.content_hash


def test_miniature_corpora_pass_the_same_parsers() -> None:
    cola = load_corpus("cola", "miniature", ("train", "validation"))
    items = [item for split in cola.splits.values() for item in split.items]
    assert {item.source for item in items} == {"miniature"}
    assert all(item.phenomenon for item in items)
    assert {item.domain for item in cola.splits["validation"].items} == {"in", "out"}
    for name, splits in (("en_mini", ("train", "validation")), ("de_mini", ("test",))):
        corpus = load_corpus(name, "miniature", splits)
        assert all(split.items for split in corpus.splits.values())


# --- frames ----------------------------------------------------------------------------------


@pytest.fixture
def treebank(tmp_path: Path) -> Corpus:
    return load_corpus("en_toy", "local", ("train",), write_data_folder(tmp_path))


def test_training_vocabulary_is_lower_cased(treebank: Corpus) -> None:
    expected = {"i", "ca", "n't", ".", "ärger"}
    assert training_vocabulary(treebank.splits["train"]) == expected


def test_tagging_items_have_one_row_per_word(treebank: Corpus) -> None:
    frame = tagging_items(treebank.splits["train"], [1, 2, 1, 1, 3], frozenset({"i", "ärger"}))
    expected = pd.DataFrame(
        {
            "sentence": [0, 0, 0, 0, 1],
            "position": [0, 1, 2, 3, 0],
            "form": ["I", "ca", "n't", ".", "Ärger"],
            "tag": ["PRON", "AUX", "PART", "PUNCT", "NOUN"],
            "deprel": ["nsubj", "aux", "advmod", "root", ""],
            "xpos": ["PRP", "MD", "RB", "", "NN"],
            "head": [4, 4, 4, 0, -1],
            "length": [4, 4, 4, 4, 1],
            "pieces": [1, 2, 1, 1, 3],
            "seen": [True, False, False, False, True],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)
    with pytest.raises(ValueError, match="expected pieces of 5 words, got 1"):
        tagging_items(treebank.splits["train"], [1], frozenset())


def test_acceptability_items_have_one_row_per_sentence(tmp_path: Path) -> None:
    split = load_corpus("cola", "local", ("validation",), write_data_folder(tmp_path))
    frame = acceptability_items(split.splits["validation"])
    assert list(frame.columns) == ["text", "label", "source", "domain", "phenomenon", "length"]
    assert frame["length"].tolist() == [3, 5, 3, 3, 5, 3]
    assert frame["label"].tolist() == [1, 0, 0, 1, 0, 0]


# --- the real corpora ------------------------------------------------------------------------


@pytest.mark.real
@needs_real_corpora
def test_counts_of_real_cola() -> None:
    corpus = load_corpus("cola", "local", ("train", "validation"), Path(DATA_DIR or ""))
    assert [len(split.items) for split in corpus.splits.values()] == [8551, 1043]
    domains = [item.domain for item in corpus.splits["validation"].items]
    assert (domains.count("in"), domains.count("out")) == (527, 516)


@pytest.mark.real
@needs_real_corpora
@pytest.mark.parametrize(
    ("name", "split", "sentences", "words"),
    [
        ("en_ewt", "train", 12_544, 204_577),
        ("en_ewt", "validation", 2_001, 25_147),
        ("de_gsd", "test", 977, 16_499),
    ],
)
def test_counts_of_real_treebanks(name: str, split: str, sentences: int, words: int) -> None:
    items = load_corpus(name, "local", (split,), Path(DATA_DIR or "")).splits[split].items
    assert (len(items), sum(len(item.words) for item in items)) == (sentences, words)


def masked(forms: str, words: int = 4) -> str:
    """A sentence of words, ``_`` in place of those that ``forms`` marks."""
    rows = [
        f"{n}\t{form}\t_\tX\t_\t_\t0\t_\t_\t_" for n, form in enumerate((forms * words)[:words], 1)
    ]
    return "\n".join(rows) + "\n\n"


@pytest.mark.parametrize("text", [masked("_") * 3, masked("a") * 20 + masked("_"), masked("_a_")])
def test_withheld_forms_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(StudyError, match="the forms are withheld"):
        read_conllu(write(tmp_path, text, "en_x-ud-train.conllu"))


def test_a_word_may_be_an_underscore(tmp_path: Path) -> None:
    found = read_conllu(write(tmp_path, masked("abc_") * 2, "en_x-ud-train.conllu"))
    assert [word.form for word in found[0].words] == ["a", "b", "c", "_"]


def test_a_split_in_several_files_is_read_in_their_order(tmp_path: Path) -> None:
    for part in ("1", "2", "10"):
        text = f"# sent_id = {part}\n" + masked("a")
        write(tmp_path, text, f"ud/UD_German-Large/de_large-ud-train-{part}.conllu")
    (split,) = load_corpus("de_large", "local", ("train",), tmp_path).splits.values()
    assert [item.sent_id for item in split.items] == ["1", "2", "10"]
    write(tmp_path, masked("a"), "ud/UD_German-Large/de_large-ud-train.conllu")
    with pytest.raises(StudyError, match="expected one file of 'de_large', got 4"):
        load_corpus("de_large", "local", ("train",), tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS"),
        ("/annex/objects/SHA256E-s9--0.tsv\n", "git-annex"),
        ("../../.git/annex/objects/a/b/SHA256E-s9--0.tsv", "git-annex"),
        ("404: Not Found", "404: Not Found"),
        ("\n<!DOCTYPE html>\n<html>\n", "DOCTYPE"),
        ('{"error": "Not found"}', "answer of a server"),
        ("Rate limit exceeded", "answer of a server"),
        ("<!-- a page --><html>", "answer of a server"),
        ("\0" * 300, "binary data"),
        ("a.conllu" + "\0" * 249 + "ustar\0" + "00", "archive"),
        (CONLLU.replace("\n", "\r"), "carriage returns"),
    ],
)
def test_what_stands_in_for_a_file_is_named(tmp_path: Path, content: str, said: str) -> None:
    for reader in (read_conllu, lambda path: read_acceptability(path, "in")):
        with pytest.raises(StudyError, match=said):
            reader(write(tmp_path, content, "file"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CONLLU.encode("utf-16"), "UTF-16"),
        (b"\x28\xb5\x2f\xfd\x04", "compressed"),
        (b"7z\xbc\xaf\x27\x1c", "compressed"),
        (b"PAR1\x15\x04\0\0", "binary data"),
    ],
)
def test_bytes_that_are_no_text_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(StudyError, match=said):
        read_conllu(file)


def test_a_link_to_nothing_says_so(tmp_path: Path) -> None:
    link = tmp_path / "ud" / "UD_English-Toy" / "en_toy-ud-train.conllu"
    link.parent.mkdir(parents=True)
    link.symlink_to("../.git/annex/objects/none")
    with pytest.raises(StudyError, match="a link to .*annex.*not there"):
        load_corpus("en_toy", "local", ("train",), tmp_path)


def test_marks_in_joined_files_are_no_part_of_the_text(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff" + CONLLU + "\ufeff" + CONLLU, "x.conllu")
    assert len(read_conllu(path)) == 4
    path = write(tmp_path, ("\ufeff" + COLA + "\ufeff" + COLA).replace("\n", "\r\n"), "x.tsv")
    assert [s.source for s in read_acceptability(path, "in")] == ["gj04", "ks08", "miniature"] * 2


def test_all_that_is_shown_of_a_sentence_is_in_the_hash_of_its_columns() -> None:
    sentence = Sentence("A.", 1, "x", "in", "")
    base = Split("train", (sentence,)).columns_hash
    for change in ({"domain": "out"}, {"source": "y"}, {"phenomenon": "z"}, {"label": 0}):
        assert Split("train", (replace(sentence, **change),)).columns_hash != base
