"""The miniature corpora: well-formed files, balanced, and nothing of the tests in the training."""

import collections
import hashlib
import re
from dataclasses import dataclass

import conllu
import pytest
from conllu.models import Token, TokenList

from corpora.items import UPOS_TAGS
from corpora.loading import miniature_folder

TREEBANKS = {
    "train": "ud/UD_English-Miniature/en_mini-ud-train.conllu",
    "dev": "ud/UD_English-Miniature/en_mini-ud-dev.conllu",
    "test": "ud/UD_German-Miniature/de_mini-ud-test.conllu",
}
ACCEPTABILITY = ("in_domain_train", "in_domain_dev", "out_of_domain_dev")
LONGEST = {"train": 16, "dev": 16, "test": 20}
LARGEST = 1_000_000  # bytes of all files together
CONTRACTIONS = {"im": "in dem", "zum": "zu dem", "zur": "zu der", "am": "an dem", "ins": "in das"}


@dataclass(frozen=True)
class Row:
    phenomenon: str
    label: int
    mark: str
    text: str


@pytest.fixture(scope="module")
def judged() -> dict[str, list[Row]]:
    return {name: read_rows(f"cola/{name}.tsv") for name in ACCEPTABILITY}


@pytest.fixture(scope="module")
def trees() -> dict[str, list[TokenList]]:
    return {name: list(conllu.parse(read(path))) for name, path in TREEBANKS.items()}


def read(name: str) -> str:
    return (miniature_folder() / name).read_text(encoding="utf-8")


def read_rows(name: str) -> list[Row]:
    rows = [line.split("\t") for line in read(name).splitlines()]
    return [Row(code.removeprefix("mini-"), int(lab), mark, text) for code, lab, mark, text in rows]


def words_of(tree: TokenList) -> list[Token]:
    return [token for token in tree if isinstance(token["id"], int)]


def forms_of(trees: list[TokenList]) -> list[str]:
    return [token["form"].lower() for tree in trees for token in words_of(tree)]


# ---- files


def test_the_files_are_those_that_the_readme_describes() -> None:
    """When this fails on purpose: say in the README what changed, then enter the digest there."""
    digest, size = hashlib.sha256(), 0
    for path in sorted(miniature_folder().rglob("*.*")):
        if path.suffix in (".tsv", ".conllu"):
            digest.update(path.relative_to(miniature_folder()).as_posix().encode())
            digest.update(path.read_bytes())
            size += path.stat().st_size
    assert digest.hexdigest() in read("README.md")
    assert 0 < size < LARGEST


# ---- acceptability


def test_labels_are_balanced_in_every_part_and_phenomenon(judged: dict[str, list[Row]]) -> None:
    for rows in judged.values():
        labels = collections.defaultdict(list)
        for row in rows:
            assert (row.mark == "*") == (row.label == 0)
            labels[row.phenomenon].append(row.label)
        assert all(sum(found) * 2 == len(found) for found in labels.values())


def test_phenomena_are_few_and_the_out_of_domain_ones_are_new(judged: dict[str, list[Row]]) -> None:
    found = {name: collections.Counter(row.phenomenon for row in judged[name]) for name in judged}
    train, out = found["in_domain_train"], found["out_of_domain_dev"]
    assert set(train) == set(found["in_domain_dev"])
    assert not set(train) & set(out)
    assert min(train.values()) >= 300
    assert min(found["in_domain_dev"].values()) >= 30
    assert min(out.values()) >= 20


def test_no_acceptability_sentence_is_used_twice(judged: dict[str, list[Row]]) -> None:
    texts = [row.text.lower() for rows in judged.values() for row in rows]
    assert len(texts) == len(set(texts))


def test_sentences_are_short(judged: dict[str, list[Row]]) -> None:
    lengths = [len(row.text.split()) for rows in judged.values() for row in rows]
    assert max(lengths) <= 9
    assert sum(lengths) / len(lengths) < 8


def test_validation_has_words_that_training_lacks(judged: dict[str, list[Row]]) -> None:
    known, validated = _vocabulary(judged["in_domain_train"]), _vocabulary(judged["in_domain_dev"])
    assert len(validated - known) >= 20
    assert len(validated & known) >= 100


def _vocabulary(rows: list[Row]) -> set[str]:
    return {form for row in rows for form in re.findall(r"\w+", row.text.lower())}


def test_labels_follow_the_words_in_simple_cases(judged: dict[str, list[Row]]) -> None:
    rows = [row for name in ACCEPTABILITY for row in judged[name]]
    rules = {r"\bmust can\b": 0, r"\bthese \w+s\b": 1, r"\bhas never the\b": 0, r"\bmust to\b": 0}
    for pattern, label in rules.items():
        found = [row.label for row in rows if re.search(pattern, row.text, re.IGNORECASE)]
        assert found, pattern
        assert set(found) == {label}, pattern


# ---- treebanks


def test_the_treebanks_have_their_sizes_and_share_no_sentence(
    trees: dict[str, list[TokenList]],
) -> None:
    assert {name: len(part) >= 250 for name, part in trees.items()} == dict.fromkeys(trees, True)
    texts = [tree.metadata["text"].lower() for part in trees.values() for tree in part]
    assert len(texts) == len(set(texts))
    identifiers = [tree.metadata["sent_id"] for part in trees.values() for tree in part]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("part", TREEBANKS)
def test_every_tree_is_a_tree(trees: dict[str, list[TokenList]], part: str) -> None:
    for tree in trees[part]:
        words = words_of(tree)
        assert [token["id"] for token in words] == list(range(1, len(words) + 1))
        heads = {token["id"]: token["head"] for token in words}
        assert [token["deprel"] for token in words if token["head"] == 0] == ["root"]
        for start in heads:
            place, steps = start, 0
            while place:
                place, steps = heads[place], steps + 1
                assert steps <= len(words), tree.metadata["text"]


@pytest.mark.parametrize("part", TREEBANKS)
def test_all_seventeen_tags_occur(trees: dict[str, list[TokenList]], part: str) -> None:
    counts = collections.Counter(t["upos"] for tree in trees[part] for t in words_of(tree))
    assert set(counts) == set(UPOS_TAGS)
    assert min(counts.values()) >= (20 if part == "train" else 5)
    assert max(counts.values()) / sum(counts.values()) < 0.25


@pytest.mark.parametrize("part", TREEBANKS)
def test_lengths_vary(trees: dict[str, list[TokenList]], part: str) -> None:
    lengths = [len(words_of(tree)) for tree in trees[part]]
    assert min(lengths) <= 4
    assert max(lengths) == LONGEST[part]
    assert 8 <= sum(lengths) / len(lengths) <= 12


@pytest.mark.parametrize("part", TREEBANKS)
def test_columns_that_nobody_reads_are_blank(trees: dict[str, list[TokenList]], part: str) -> None:
    for token in (token for tree in trees[part] for token in tree):
        assert token["lemma"] == "_"
        assert [token[column] for column in ("feats", "deps", "misc")] == [None] * 3
        assert token["xpos"] in (None, "PTKVZ", "PRF")


@pytest.mark.parametrize("part", TREEBANKS)
def test_multiword_tokens_stand_before_their_words(
    trees: dict[str, list[TokenList]], part: str
) -> None:
    found = {}
    for tree in trees[part]:
        following = {token["id"]: token for token in tree}
        for position, token in enumerate(tree):
            if isinstance(token["id"], tuple) and token["id"][1] == "-":
                first, _, last = token["id"]
                assert [t["id"] for t in tree[position + 1 : position + 3]] == [first, last]
                parts = f"{following[first]['form']} {following[last]['form']}"
                found[token["form"].lower()] = parts.lower()
    if part == "test":
        assert {form: found[form] for form in CONTRACTIONS} == CONTRACTIONS
    else:
        assert len(found) >= 5
        assert all(form == parts.replace(" ", "") for form, parts in found.items())


@pytest.mark.parametrize("part", TREEBANKS)
def test_some_sentences_hold_empty_nodes(trees: dict[str, list[TokenList]], part: str) -> None:
    empty = [
        t for tree in trees[part] for t in tree if isinstance(t["id"], tuple) and "." in t["id"]
    ]
    assert empty
    assert all(token["head"] is None and token["upos"] == "VERB" for token in empty)


def test_german_has_what_the_transfer_analysis_looks_for(trees: dict[str, list[TokenList]]) -> None:
    xpos = collections.Counter(t["xpos"] for tree in trees["test"] for t in words_of(tree))
    assert xpos["PTKVZ"] >= 5
    assert xpos["PRF"] >= 3


def test_german_nouns_have_capitals(trees: dict[str, list[TokenList]]) -> None:
    nouns = [t for tree in trees["test"] for t in words_of(tree) if t["upos"] == "NOUN"]
    assert len(nouns) > 200
    assert all(token["form"][0].isupper() for token in nouns)


def test_the_languages_share_some_words_but_not_many(trees: dict[str, list[TokenList]]) -> None:
    english, german = set(forms_of(trees["train"])), forms_of(trees["test"])
    assert 0.15 < sum(form in english for form in german) / len(german) < 0.5


def test_english_validation_has_unseen_words(trees: dict[str, list[TokenList]]) -> None:
    train, dev = set(forms_of(trees["train"])), forms_of(trees["dev"])
    assert 0.02 < sum(form not in train for form in dev) / len(dev) < 0.2


def test_some_english_words_have_more_than_one_tag(trees: dict[str, list[TokenList]]) -> None:
    tags = collections.defaultdict(set)
    for tree in trees["train"]:
        for token in words_of(tree):
            tags[token["form"].lower()].add(token["upos"])
    assert {"ADP", "PART"} <= tags["to"]
    assert {"AUX", "VERB"} <= tags["have"]
    assert sum(len(found) > 1 for found in tags.values()) >= 15
