"""The miniature corpora: correct files, no leakage, the grammar that they claim to follow."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import random
import re
from pathlib import Path

import conllu
import pytest
from conllu.models import Token, TokenList

from corpora.items import UPOS_TAGS
from corpora.miniature import generate
from corpora.miniature.acceptability import (
    Example,
    Seen,
    _polish,
    draw_group,
    load_frames,
    phenomena,
)
from corpora.miniature.grammar_de import GermanGrammar
from corpora.miniature.grammar_en import EnglishGrammar
from corpora.miniature.lexicon import Lexeme, hold_out, load_english
from corpora.miniature.lexicon_german import Noun, declined, load_german
from corpora.miniature.trees import Phrase, join, text_of, to_conllu, word

TREEBANKS = {
    "train": "ud/UD_English-Miniature/en_mini-ud-train.conllu",
    "dev": "ud/UD_English-Miniature/en_mini-ud-dev.conllu",
    "test": "ud/UD_German-Miniature/de_mini-ud-test.conllu",
}
ACCEPTABILITY = ("in_domain_train", "in_domain_dev", "out_of_domain_dev")


@dataclasses.dataclass(frozen=True)
class Row:
    phenomenon: str
    label: int
    mark: str
    text: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("miniature")
    generate.write_miniature(place)
    return place


@pytest.fixture(scope="module")
def judged(folder: Path) -> dict[str, list[Row]]:
    return {name: read_rows(folder / f"cola/{name}.tsv") for name in ACCEPTABILITY}


@pytest.fixture(scope="module")
def trees(folder: Path) -> dict[str, list[TokenList]]:
    return {
        name: list(conllu.parse((folder / path).read_text(encoding="utf-8")))
        for name, path in TREEBANKS.items()
    }


def read_rows(path: Path) -> list[Row]:
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [Row(code.removeprefix("mini-"), int(lab), mark, text) for code, lab, mark, text in rows]


def words_of(tree: TokenList) -> list[Token]:
    return [token for token in tree if isinstance(token["id"], int)]


# ---- files


def test_the_bytes_are_the_same_every_time(folder: Path, tmp_path: Path) -> None:
    random.seed(7)  # global state must not matter
    generate.write_miniature(tmp_path)
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert len(names) == 6
    for name in names:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_files_change_only_together_with_the_version(folder: Path) -> None:
    """When this fails on purpose: raise MINIATURE_VERSION, then enter it and the digest here."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    assert (generate.MINIATURE_VERSION, digest.hexdigest()) == (
        2,
        "1eae4aa7b4c280a8410a63b4c40bffabb8874bcde3442f9f8c0ab5838e04e6cb",
    )


def test_writing_again_replaces_the_files(folder: Path, tmp_path: Path) -> None:
    for name in ("cola/in_domain_dev.tsv", TREEBANKS["dev"]):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("old")
    generate.write_miniature(tmp_path)
    assert (tmp_path / TREEBANKS["dev"]).read_bytes() == (folder / TREEBANKS["dev"]).read_bytes()


# ---- acceptability


def test_acceptability_has_the_size_and_the_balance_of_a_small_cola(
    judged: dict[str, list[Row]],
) -> None:
    sizes = {name: len(rows) for name, rows in judged.items()}
    assert 1300 <= sizes["in_domain_train"] <= 1500
    assert 350 <= sizes["in_domain_dev"] + sizes["out_of_domain_dev"] <= 450
    for rows in judged.values():
        assert 0.66 <= sum(row.label for row in rows) / len(rows) <= 0.74
        assert all((row.mark == "*") == (row.label == 0) for row in rows)


def test_every_phenomenon_has_both_labels(judged: dict[str, list[Row]]) -> None:
    labels: dict[str, dict[str, set[int]]] = {name: collections.defaultdict(set) for name in judged}
    for name, rows in judged.items():
        for row in rows:
            labels[name][row.phenomenon].add(row.label)
    assert set(labels["in_domain_train"]) == set(labels["in_domain_dev"]) == set(phenomena("in"))
    assert set(labels["out_of_domain_dev"]) == set(phenomena("out"))
    assert len(phenomena("in")) >= 10
    assert not set(phenomena("in")) & set(phenomena("out"))
    assert all(found == {0, 1} for part in labels.values() for found in part.values())


def test_no_acceptability_sentence_is_used_twice(judged: dict[str, list[Row]]) -> None:
    texts = [row.text.lower() for rows in judged.values() for row in rows]
    assert len(texts) == len(set(texts))


def test_validation_has_words_that_training_lacks(judged: dict[str, list[Row]]) -> None:
    vocabulary = {name: _vocabulary(judged[name]) for name in ACCEPTABILITY}
    assert len(vocabulary["in_domain_dev"] - vocabulary["in_domain_train"]) >= 20
    assert len(vocabulary["in_domain_dev"] & vocabulary["in_domain_train"]) >= 200


def _vocabulary(rows: list[Row]) -> set[str]:
    return {form for row in rows for form in re.findall(r"\w+", row.text.lower())}


def test_rejected_sentences_stay_close_to_their_accepted_siblings() -> None:
    generator, classes = random.Random(1), load_english()
    shared = []
    for number, frame in enumerate(load_frames("in") + load_frames("out")):
        good, bad = draw_group(frame, number, True, generator, classes)
        assert (good.label, bad.label) == (1, 0)
        assert good.group == bad.group
        one, two = set(good.text.lower().split()), set(bad.text.lower().split())
        shared.append(len(one & two) / len(one))
    assert sum(shared) / len(shared) > 0.6


def test_siblings_and_repeated_words_cannot_reach_a_second_split() -> None:
    seen = Seen()
    first = (Example("The cat sleeps.", 1, "x", ("0", "cat")),)
    assert seen.admits(first)
    assert not seen.admits((Example("the cat sleeps.", 1, "x", ("1", "cat")),))
    assert not seen.admits((Example("The cat slept.", 1, "x", ("0", "cat")),))
    assert seen.admits((Example("The dog slept.", 1, "x", ("0", "dog")),))


def test_no_pattern_is_both_accepted_and_rejected() -> None:
    for frame in load_frames("in") + load_frames("out"):
        assert not set(frame.good) & set(frame.bad)
        assert frame.good and frame.bad
        assert all(pattern[-1] in ".?" for pattern in frame.good + frame.bad)


def test_labels_follow_the_words_in_simple_cases(judged: dict[str, list[Row]]) -> None:
    rows = [row for name in ACCEPTABILITY for row in judged[name]]
    rules = {
        r"\bmore \w+er than\b": 0,
        r"\bmust can\b": 0,
        r"\bthese \w+s\b": 1,
        r"\bevery of\b": 0,
        r"\bnever has the\b": 1,
        r"^Himself\b": 0,
    }
    for pattern, label in rules.items():
        found = [row.label for row in rows if re.search(pattern, row.text, re.IGNORECASE)]
        assert found, pattern
        assert set(found) == {label}, pattern


def test_articles_are_polished() -> None:
    assert _polish("a  apple is on a table.") == "An apple is on a table."
    assert _polish("it is a old  , a useful thing.") == "It is an old , a useful thing."


# ---- treebanks


def test_the_treebanks_have_their_sizes_and_share_no_sentence(
    trees: dict[str, list[TokenList]],
) -> None:
    assert len(trees["train"]) >= 850
    assert len(trees["dev"]) >= 230
    assert len(trees["test"]) >= 230
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
    total = sum(counts.values())
    assert set(counts) == set(UPOS_TAGS)
    assert min(counts.values()) >= (15 if part == "test" else 10)
    frequent = sum(counts[tag] for tag in ("NOUN", "PUNCT", "DET", "VERB", "PRON", "ADP"))
    assert 0.5 < frequent / total < 0.8
    assert max(counts.values()) / total < 0.25


@pytest.mark.parametrize("part", TREEBANKS)
def test_lengths_vary(trees: dict[str, list[TokenList]], part: str) -> None:
    lengths = [len(words_of(tree)) for tree in trees[part]]
    assert min(lengths) <= 4
    assert 18 <= max(lengths) <= generate.LONGEST
    assert 8 <= sum(lengths) / len(lengths) <= 14


@pytest.mark.parametrize("part", TREEBANKS)
def test_the_text_is_what_the_tokens_spell(trees: dict[str, list[TokenList]], part: str) -> None:
    for tree in trees[part]:
        assert _spell(tree) == tree.metadata["text"]


def _spell(tree: TokenList) -> str:
    text, covered = "", 0
    for token in tree:
        identifier = token["id"]
        if isinstance(identifier, tuple):
            if identifier[1] == ".":
                continue
            covered = identifier[2]
        elif identifier <= covered:
            continue
        spaced = (token["misc"] or {}).get("SpaceAfter") != "No"
        text += token["form"] + " " * spaced
    return text.strip()


@pytest.mark.parametrize("part", TREEBANKS)
def test_multiword_tokens_stand_before_their_words(
    trees: dict[str, list[TokenList]], part: str
) -> None:
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    for tree in trees[part]:
        following = {token["id"]: token for token in tree}
        for position, token in enumerate(tree):
            if isinstance(token["id"], tuple) and token["id"][1] == "-":
                first, _, last = token["id"]
                assert last == first + 1
                assert [t["id"] for t in tree[position + 1 : position + 3]] == [first, last]
                parts = following[first]["form"] + " " + following[last]["form"]
                found[token["form"].lower(), parts.lower()] += 1
    forms = {form for form, _ in found}
    if part == "test":
        assert {("zum", "zu dem"), ("zur", "zu der"), ("im", "in dem")} <= set(found)
        assert {("am", "an dem"), ("vom", "von dem"), ("beim", "bei dem")} <= set(found)
        assert ("ins", "in das") in found
    else:
        assert all(form == parts.replace(" ", "") for form, parts in found)
        assert {"don't", "didn't"} & forms
        assert any(form.endswith("'s") for form in forms)


@pytest.mark.parametrize("part", TREEBANKS)
def test_some_sentences_hold_empty_nodes(trees: dict[str, list[TokenList]], part: str) -> None:
    empty = [
        t for tree in trees[part] for t in tree if isinstance(t["id"], tuple) and "." in t["id"]
    ]
    assert len(empty) >= 3
    assert all(token["head"] is None and token["upos"] == "VERB" for token in empty)


@pytest.mark.parametrize(("part", "language"), [("train", "en"), ("dev", "en"), ("test", "de")])
def test_the_official_validator_finds_nothing(folder: Path, part: str, language: str) -> None:
    udtools = pytest.importorskip("udtools", reason="the official validator is not installed")
    validator = udtools.Validator(lang=language, level=5, output=None)
    state = validator.validate_files([str(folder / TREEBANKS[part])])
    assert not [str(incident) for incident in state.error_tracker if incident.is_error()]
    assert state


def test_the_official_validator_would_find_a_wrong_relation(folder: Path, tmp_path: Path) -> None:
    udtools = pytest.importorskip("udtools", reason="the official validator is not installed")
    text = (folder / TREEBANKS["test"]).read_text(encoding="utf-8")
    (tmp_path / "bad.conllu").write_text(text.replace("\tnsubj\t", "\tsubject\t"), encoding="utf-8")
    validator = udtools.Validator(lang="de", level=2, output=None)
    assert not validator.validate_files([str(tmp_path / "bad.conllu")])


def test_the_languages_share_some_words_but_not_many(trees: dict[str, list[TokenList]]) -> None:
    english = {t["form"].lower() for tree in trees["train"] for t in words_of(tree)}
    german = [t["form"].lower() for tree in trees["test"] for t in words_of(tree)]
    shared = sum(form in english for form in german) / len(german)
    assert 0.15 < shared < 0.5


def test_english_validation_has_unseen_words(trees: dict[str, list[TokenList]]) -> None:
    train = {t["form"].lower() for tree in trees["train"] for t in words_of(tree)}
    dev = [t["form"].lower() for tree in trees["dev"] for t in words_of(tree)]
    assert 0.02 < sum(form not in train for form in dev) / len(dev) < 0.2


def test_some_english_words_have_more_than_one_tag(trees: dict[str, list[TokenList]]) -> None:
    tags = collections.defaultdict(set)
    for tree in trees["train"]:
        for token in words_of(tree):
            tags[token["form"].lower()].add(token["upos"])
    assert {"ADP", "PART"} <= tags["to"]
    assert {"SCONJ", "DET", "PRON"} <= tags["that"]
    assert {"AUX", "VERB"} <= tags["have"]
    assert sum(len(found) > 1 for found in tags.values()) >= 15


# ---- German grammar


def test_german_nouns_have_capitals_and_nothing_else_has(trees: dict[str, list[TokenList]]) -> None:
    for tree in trees["test"]:
        for token in words_of(tree):
            form = token["form"]
            if token["upos"] in ("NOUN", "PROPN"):
                assert form[0].isupper(), tree.metadata["text"]
            inside = token["id"] > 1 and words_of(tree)[token["id"] - 2]["form"] != "„"
            if inside and token["upos"] in ("VERB", "AUX", "ADJ", "DET", "ADV"):
                assert not form[0].isupper(), tree.metadata["text"]


def test_subordinate_clauses_end_with_the_finite_verb(trees: dict[str, list[TokenList]]) -> None:
    checked = 0
    for tree in trees["test"]:
        words = words_of(tree)
        for mark in words:
            if mark["xpos"] != "KOUS":
                continue
            clause = [t for t in words if t["id"] > mark["id"] and _belongs(t, mark["head"], words)]
            finite = [t for t in clause if (t["feats"] or {}).get("VerbForm") == "Fin"]
            after = [t for t in clause if t["id"] > finite[-1]["id"] and t["upos"] != "PUNCT"]
            assert not after, tree.metadata["text"]
            checked += 1
    assert checked >= 25


def _belongs(token: Token, head: int, words: list[Token]) -> bool:
    """Says whether a token is the clause's head, or hangs on it other than by a further clause."""
    while token["id"] != head:
        if token["head"] == 0 or token["deprel"] in (
            "acl:relcl",
            "advcl",
            "ccomp",
            "xcomp",
            "csubj",
        ):
            return False
        token = words[token["head"] - 1]
    return True


def test_main_clauses_have_the_finite_verb_second(trees: dict[str, list[TokenList]]) -> None:
    inverted = checked = 0
    for tree in trees["test"]:
        words = words_of(tree)
        if words[-1]["form"] != "." or any(t["xpos"] in ("VVIMP", "KON", "$(") for t in words):
            continue
        root = next(t for t in words if t["head"] == 0)
        own = [t for t in words if t["head"] == root["id"] or t is root]
        verbs = [t for t in own if t is root or t["deprel"].startswith(("aux", "cop"))]
        finite = [t for t in verbs if (t["feats"] or {}).get("VerbForm") == "Fin"]
        if not finite:
            continue
        front = [t for t in own if t["id"] < finite[0]["id"]]
        front = [t for t in front if t["upos"] != "PUNCT" and t["deprel"] != "discourse"]
        assert len(front) == 1, tree.metadata["text"]
        checked += 1
        inverted += not front[0]["deprel"].startswith(("nsubj", "expl"))
    assert checked >= 80
    assert inverted >= 20


def test_separable_verbs_leave_their_particle_at_the_end(trees: dict[str, list[TokenList]]) -> None:
    bases = {(verb.base, verb.particle) for group in load_german().verbs.values() for verb in group}
    particles = joined = 0
    for tree in trees["test"]:
        words = words_of(tree)
        for token in words:
            if token["xpos"] == "PTKVZ":
                verb = words[token["head"] - 1]
                assert token["deprel"] == "compound:prt"
                assert verb["id"] < token["id"]
                assert (verb["lemma"], token["lemma"]) in bases
                particles += 1
            joined += token["xpos"] == "VVIZU"
    assert particles >= 10
    assert joined >= 2


def test_determiners_agree_with_their_nouns(trees: dict[str, list[TokenList]]) -> None:
    checked = 0
    for tree in trees["test"]:
        words = words_of(tree)
        for token in words:
            if token["deprel"] in ("det", "amod", "det:poss") and token["feats"]:
                noun = words[token["head"] - 1]
                for feature in ("Case", "Number", "Gender"):
                    own = token["feats"].get(feature)
                    assert own in (None, noun["feats"][feature]), tree.metadata["text"]
                checked += 1
    assert checked >= 300


@pytest.mark.parametrize(
    ("case", "number", "expected"),
    [
        ("Nom", "Sing", "der Student"),
        ("Acc", "Sing", "den Studenten"),
        ("Dat", "Sing", "dem Studenten"),
        ("Gen", "Sing", "des Studenten"),
        ("Dat", "Plur", "den Studenten"),
    ],
)
def test_weak_masculines(case: str, number: str, expected: str) -> None:
    noun = Noun("Student", "w", "Studenten")
    grammar = GermanGrammar(random.Random(0), load_german())
    (_, article), _ = grammar._determiner("der", case, noun, number)
    assert article is not None
    assert f"{article.head.form} {noun.form(case, number)}" == expected


def test_noun_and_adjective_endings() -> None:
    assert Noun("Kind", "n", "Kinder", "Kindes").form("Dat", "Plur") == "Kindern"
    assert Noun("Auto", "n", "Autos").form("Dat", "Plur") == "Autos"
    assert Noun("Frau", "f", "Frauen").form("Gen", "Sing") == "Frau"
    assert Noun("Plan", "m", "Pläne").form("Gen", "Sing") == "Plans"
    assert [declined("mixed", "Nom", slot) for slot in "mfnp"] == ["er", "e", "es", "en"]
    assert [declined("weak", "Acc", slot) for slot in "mfnp"] == ["en", "e", "e", "en"]
    assert [declined("strong", "Dat", slot) for slot in "mfnp"] == ["em", "er", "em", "en"]


def test_verb_forms() -> None:
    verbs = {verb.lemma: verb for group in load_german().verbs.values() for verb in group}
    assert verbs["anrufen"].participle == "angerufen"
    assert verbs["reparieren"].participle == "repariert"
    assert verbs["vorbereiten"].participle == "vorbereitet"
    assert verbs["arbeiten"].finite("3Sing", "Pres") == "arbeitet"
    assert verbs["arbeiten"].finite("3Plur", "Past") == "arbeiteten"
    assert verbs["ändern"].finite("1Sing", "Pres") == "ändere"
    assert verbs["wissen"].finite("1Sing", "Pres") == "weiß"
    assert verbs["kommen"].finite("1Plur", "Past") == "kamen"


# ---- lexicons


def test_each_language_has_hundreds_of_lemmas(trees: dict[str, list[TokenList]]) -> None:
    english = {(t["upos"], t["lemma"]) for tree in trees["train"] for t in words_of(tree)}
    german = {(t["upos"], t["lemma"]) for tree in trees["test"] for t in words_of(tree)}
    assert len(english) >= 400
    assert len(german) >= 300


@pytest.mark.parametrize("language", ["en", "de"])
def test_thousands_of_sentences_are_possible(language: str) -> None:
    generator = random.Random(3)
    grammar: generate.Grammar = (
        EnglishGrammar(generator, load_english())
        if language == "en"
        else GermanGrammar(generator, load_german())
    )
    assert len({text_of(grammar.sentence()) for _ in range(3000)}) > 2700


@pytest.mark.parametrize(
    ("lexeme", "name", "form"),
    [
        (Lexeme("city", "noun"), "pl", "cities"),
        (Lexeme("watch", "verb"), "s", "watches"),
        (Lexeme("travel", "verb"), "ing", "traveling"),
        (Lexeme("stop", "verb", ("stopped",)), "ing", "stopping"),
        (Lexeme("throw", "verb", ("threw", "thrown"), "away"), "part", "thrown"),
        (Lexeme("throw", "verb", ("threw", "thrown"), "away"), "prt", "away"),
        (Lexeme("agree", "verb"), "ing", "agreeing"),
        (Lexeme("happy", "adjective"), "er", "happier"),
        (Lexeme("big", "adjective"), "est", "biggest"),
    ],
)
def test_english_inflection(lexeme: Lexeme, name: str, form: str) -> None:
    assert lexeme.form(name) == form


def test_held_out_words_are_in_no_class() -> None:
    classes = load_english()
    smaller = hold_out(classes, ["person"], 5)
    held = {item.lemma for item in classes["person"]} - {item.lemma for item in smaller["person"]}
    assert len(held) >= 5
    nouns = {i.lemma for items in smaller.values() for i in items if i.category == "noun"}
    assert not held & nouns


# ---- trees


def test_joining_phrases_makes_one_root_and_the_text() -> None:
    subject = join(("det", word("the", "DET", "DT")), ("head", word("cat", "NOUN", "NN")))
    clause: Phrase = join(
        ("nsubj", subject),
        ("head", word("sleeps", "VERB", "VBZ", lemma="sleep")),
        ("obl", None),
        ("punct", word(".", "PUNCT", ".", glue="left")),
    )
    assert text_of(clause) == "the cat sleeps."
    (tree,) = conllu.parse(to_conllu("t", clause))
    assert [(t["head"], t["deprel"]) for t in tree] == [
        (2, "det"),
        (3, "nsubj"),
        (0, "root"),
        (3, "punct"),
    ]


def test_a_phrase_needs_exactly_one_head() -> None:
    with pytest.raises(ValueError, match="unpack"):
        join(("nsubj", word("it", "PRON", "PRP")))
