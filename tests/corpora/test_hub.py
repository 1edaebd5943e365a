import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from corpora.hub import UD_FILES, build_tagged_sentence, find_glue_domains
from corpora.items import Word
from corpora.loading import load_corpus
from corpora.treebank import conllu_name
from hub import TREEBANK_SCRIPT, Hub, hub_fixture, run_with_hub  # noqa: F401
from hub_content import MODELS, TRAIN_SIZE, VALIDATION_SIZE
from study.errors import StudyError

REQUESTS = (
    ("cola", ("train", "validation")),
    ("en_ewt", ("train", "validation")),
    ("de_gsd", ("test",)),
)
GLUE_TRAIN = "datasets/nyu-mll/glue/cola/train-00000-of-00001.parquet"
RELEASE = "raw/UniversalDependencies/UD_German-GSD/r2.7/de_gsd-ud-test.conllu"
# A child process has no use for the pauses between attempts to connect.
PROLOGUE = """
import json, logging, sys, time
from pathlib import Path
from corpora.hub import UD_FILES
from corpora.loading import load_corpus
from study.errors import StudyError
time.sleep = lambda seconds: None
logging.basicConfig(level="WARNING")

def show(name, splits, folder=None):
    try:
        corpus = load_corpus(name, "hub", splits, folder)
    except StudyError as error:
        print("RESULT", json.dumps({"error": str(error)}))
        return
    splits = {k: [len(s.items), s.content_hash] for k, s in corpus.splits.items()}
    result = {"source": corpus.source, "splits": splits}
    print("RESULT", json.dumps(result))

"""


def serving(hub: Hub) -> str:
    """Code that takes the checksums of the served release files for the real ones."""
    served = {
        name: (repository, {split: checksum(hub, name, split) for split in checksums})
        for name, (repository, checksums) in UD_FILES.items()
    }
    return f"{PROLOGUE}UD_FILES.update({served!r})\n"


def checksum(hub: Hub, name: str, split: str) -> str:
    (file,) = hub.folder.glob(f"raw/**/{conllu_name(name, split)}")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def run(code: str, hub: Hub, **options: Any) -> subprocess.CompletedProcess[str]:
    completed = run_with_hub(["-c", serving(hub) + code], hub, **options)
    assert completed.returncode == 0, completed.stderr[-3000:]
    return completed


def find_results(completed: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    lines = completed.stdout.splitlines()
    return [json.loads(line.removeprefix("RESULT ")) for line in lines if line.startswith("RESULT")]


def read_local(hub: Hub, name: str, splits: tuple[str, ...]) -> dict[str, list]:
    corpus = load_corpus(name, "local", splits, hub.folder / "local")
    return {key: [len(split.items), split.content_hash] for key, split in corpus.splits.items()}


def test_hub_and_folder_give_the_same_splits(hub: Hub) -> None:
    results = find_results(run(f"for r in {REQUESTS}: show(*r)", hub))
    assert [result.get("error") for result in results] == [None] * len(REQUESTS)
    for (name, splits), result in zip(REQUESTS, results, strict=True):
        assert result["splits"] == read_local(hub, name, splits)
    sizes = [[size for size, _ in result["splits"].values()] for result in results]
    assert sizes == [[TRAIN_SIZE, VALIDATION_SIZE]] * 2 + [[VALIDATION_SIZE]]
    cola, ewt, gsd = (result["source"] for result in results)
    assert "nyu-mll/glue at revision bcdcba79d07b" in cola
    assert "by the loading script" in ewt
    assert "by the loading script" in gsd


def test_served_treebanks_hold_what_must_be_left_out(hub: Hub) -> None:
    """Else the comparison above would say nothing about ranges and empty nodes."""
    texts = [path.read_text(encoding="utf-8") for path in hub.folder.rglob("raw/**/*.conllu")]
    assert len(texts) == 6
    assert all(re.search(r"^\d+\.1\t", text, re.MULTILINE) for text in texts)
    assert any(re.search(r"^\d+-\d+\t", text, re.MULTILINE) for text in texts)


def test_release_files_stand_in_for_the_script(hub: Hub, tmp_path: Path) -> None:
    code = """
folder = Path(sys.argv[1])
path = folder / "r2.7" / "de_gsd-ud-test.conllu"
show("de_gsd", ("test",), folder)
show("de_gsd", ("test",), folder)
path.write_text(path.read_text(encoding="utf-8")[:-1], encoding="utf-8")
show("de_gsd", ("test",), folder)
"""
    hub.requests.clear()
    with hub.hiding(TREEBANK_SCRIPT):
        completed = run_with_hub(
            ["-c", serving(hub) + code, tmp_path / "kept"], hub, home=tmp_path / "home"
        )
    results = find_results(completed)
    assert len(results) == 3, completed.stderr[-3000:]
    for result in results:
        assert result["splits"] == read_local(hub, "de_gsd", ("test",))
        assert "release's CoNLL-U files (tag r2.7; SHA-256 test" in result["source"]
        assert "loading script could not be had" in result["source"]
    raw = [request for request in hub.requests if "/raw/" in request]
    assert len(raw) == 2  # the second time the kept file serves, the third time it is damaged
    assert "Updating file 'de_gsd-ud-test.conllu'" in completed.stderr
    assert "script for de_gsd cannot be had" in completed.stderr


def test_what_cannot_be_had_is_said(hub: Hub, tmp_path: Path) -> None:
    release = "raw/UniversalDependencies/UD_English-EWT/r2.7/en_ewt-ud-train.conllu"
    code = """
show("en_ewt", ("train",))
show("xx_nix", ("train",))
show("cola", ("train",))
"""
    with hub.hiding(release, TREEBANK_SCRIPT, GLUE_TRAIN):
        ewt, unknown, cola = (
            result["error"] for result in find_results(run(code, hub, home=tmp_path))
        )
    assert "7ecda5ec622b" in ewt
    assert "UD_English-EWT/r2.7/en_ewt-ud-train.conllu: HTTPError: 404 Client Error" in ewt
    assert "treebank 'xx_nix' cannot be loaded" in unknown
    assert "known of en_ewt (train, validation, test); de_gsd (validation, test)" in unknown
    assert "nyu-mll/glue (cola) at revision bcdcba79d07b" in cola
    assert all("--profile demo" in error for error in (ewt, unknown, cola))


@pytest.mark.parametrize(
    "variables",
    [
        {"HF_ENDPOINT": "http://127.0.0.1:9", "UD_RAW_URL": "http://127.0.0.1:9"},
        {"HF_HUB_OFFLINE": "1", "UD_RAW_URL": "http://127.0.0.1:9"},
    ],
    ids=["no network", "offline mode"],
)
def test_no_network_is_a_sentence(
    hub: Hub,
    tmp_path: Path,
    variables: dict[str, str],
) -> None:
    code = 'show("cola", ("train",)); show("de_gsd", ("test",))'
    cola, gsd = find_results(run(code, hub, home=tmp_path, **variables))
    assert "CoLA cannot be loaded from the hub" in cola["error"]
    assert "then http://127.0.0.1:9/UD_German-GSD/r2.7/de_gsd-ud-test.conllu" in gsd["error"]
    for result in (cola, gsd):
        assert "Check the network" in result["error"]
        assert "DATA_DIR" in result["error"]
        assert "--profile demo" in result["error"]


def test_checkpoints_load_under_their_real_names(hub: Hub) -> None:
    code = """
from transformers import AutoModel, AutoTokenizer
for name in sys.argv[1:]:
    pin = dict(revision="86b5e0934494bd15c9632b12f734a8a67f723594")
    model = AutoModel.from_pretrained(name, **pin)
    tokenizer = AutoTokenizer.from_pretrained(name, **pin)
    same = model.config.vocab_size == len(tokenizer)
    result = [name, model.config.model_type, len(tokenizer("A word.").input_ids), same]
    print("RESULT", json.dumps(result))
"""
    completed = run_with_hub(["-c", PROLOGUE + code, *MODELS], hub)
    results = find_results(completed)
    assert len(results) == len(MODELS), completed.stderr[-3000:]
    for name, model_type, length, same_size in results:
        assert model_type == MODELS[name]
        assert length > 3
        assert same_size
        pinned = "resolve/86b5e0934494bd15c9632b12f734a8a67f723594/model.safetensors"
        assert f"GET /{name}/{pinned}" in hub.requests


BERT = "google-bert/bert-base-uncased"
LOAD_BERT = f"""
from encoders.models import find_checkpoint, load_base
def load_bert():
    revision = "86b5e0934494bd15c9632b12f734a8a67f723594"
    try:
        model, _ = load_base(find_checkpoint({BERT!r}, revision), "sequence", 2, 1)
    except StudyError as error:
        print("RESULT", json.dumps({{"error": str(error)}}))
        return
    total = sum(float(p.double().abs().sum()) for p in model.parameters())
    print("RESULT", json.dumps(total))
load_bert()
"""


def test_what_is_cut_off_or_late_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    """Weights, a table and a treebank's file break off or stall, and arrive whole."""
    weights = f"models/{BERT}/model.safetensors"
    code = LOAD_BERT + 'show("cola", ("train",)); show("de_gsd", ("test",))'
    faults = {weights: ["cut", "cut", "stall"], GLUE_TRAIN: ["cut"], RELEASE: ["cut", "cut"]}
    with hub.hiding(TREEBANK_SCRIPT):
        calm = find_results(run(code, hub, home=tmp_path / "calm"))
        hub.faults.update(faults)
        done = run(code, hub, home=tmp_path / "faulty", HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert find_results(done) == calm
    assert not any(hub.faults.values()), "some faults did not happen"
    assert all("error" not in str(result) for result in calm)
    assert "Will attempt the download again" in done.stderr


def test_what_never_arrives_whole_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    files = (f"models/{BERT}/model.safetensors", GLUE_TRAIN, RELEASE)
    hub.faults.update({file: ["cut"] * 60 for file in files})
    with hub.hiding(TREEBANK_SCRIPT):
        code = LOAD_BERT + 'show("cola", ("train",)); show("de_gsd", ("test",))'
        model, cola, german = find_results(run(code, hub, home=tmp_path))
    hub.faults.clear()
    assert f"the model '{BERT}' could not be loaded" in model["error"]
    assert "CoLA cannot be loaded from the hub" in cola["error"]
    assert "de_gsd-ud-test.conllu: ChunkedEncodingError" in german["error"]
    assert "IncompleteRead" in german["error"]
    assert all("--profile demo" in result["error"] for result in (model, cola, german))


def test_what_is_no_file_of_the_release_is_refused(hub: Hub, tmp_path: Path) -> None:
    """Another content than the pinned one, and the page of a server in the file's place."""
    file, show = hub.folder / RELEASE, 'show("de_gsd", ("test",), Path(sys.argv[1]))'
    command = ["-c", f"{PROLOGUE}\n{show}", tmp_path / "kept"]
    served = file.read_bytes()
    with hub.hiding(TREEBANK_SCRIPT):
        (other,) = find_results(run_with_hub(command, hub, home=tmp_path))
        try:
            file.write_text("<!doctype html><title>Sign in</title>", encoding="utf-8")
            (page,) = find_results(run_with_hub(command, hub, home=tmp_path))
        finally:
            file.write_bytes(served)
    assert "does not match the known hash" in other["error"]
    assert "which gave the answer of a server ('<!doctype html>" in page["error"]
    assert all("DATA_DIR" in result["error"] for result in (other, page))
    assert not list((tmp_path / "kept").rglob("*.conllu"))


def test_a_disk_that_cannot_be_written_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = 'show("de_gsd", ("test",), Path(sys.argv[1]))'
    command = ["-c", serving(hub) + code, tmp_path / "file"]
    with hub.hiding(TREEBANK_SCRIPT):
        (result,) = find_results(run_with_hub(command, hub, home=tmp_path / "home"))
    assert "a downloaded treebank cannot be written (Not a directory)" in result["error"]


def test_a_hub_with_another_revision_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.served = "b" * 40
    try:
        results = find_results(
            run(
                LOAD_BERT + 'show("cola", ("train",)); show("en_ewt", ("train",))',
                hub,
                home=tmp_path,
            )
        )
    finally:
        hub.served = ""
    assert len(results) == 3
    for result in results:
        assert "the hub serves commit bbbbbbbbbbbb of" in result["error"]
        assert "HF_ENDPOINT" in result["error"]


TAGS = ["NOUN", "_", "VERB"]


def test_rows_of_the_script_become_words() -> None:
    row = {
        "idx": "s1",
        "tokens": ["zum", "zu", "dem", "elided", "Haus"],
        "upos": [1, 2, 0, 2, 0],
        "xpos": [None, "APPR", None, "VVFIN", "NN"],
        "head": ["None", "3", "3", "None", "0"],
        "deprel": ["_", "case", "det", "_", "root"],
    }
    sentence = build_tagged_sentence(row, TAGS)
    assert sentence.sent_id == "s1"
    assert sentence.words == (
        Word("zu", "VERB", "APPR", "case", 3),
        Word("dem", "NOUN", "", "det", 3),
        Word("Haus", "NOUN", "NN", "root", 0),
    )


@pytest.mark.parametrize(("tag", "head"), [(1, "0"), (0, "7")])
def test_unusable_rows_are_refused(tag: int, head: str) -> None:
    row = {
        "idx": "s",
        "tokens": ["a"],
        "upos": [tag],
        "xpos": ["_"],
        "head": [head],
        "deprel": ["x"],
    }
    with pytest.raises(StudyError, match="expected one of the 17 tags and a head") as caught:
        build_tagged_sentence(row, TAGS)
    assert "sentence s" in str(caught.value)


def test_glue_validation_is_in_domain_then_out_of_domain() -> None:
    assert find_glue_domains(1043, "validation") == ["in"] * 527 + ["out"] * 516
    assert find_glue_domains(30, "validation") == [""] * 30
    assert find_glue_domains(3, "train") == ["in"] * 3
