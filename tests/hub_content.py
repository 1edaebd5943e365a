"""Small content for the stand-in hub: a sample of the miniature corpora in the hub's formats."""

from pathlib import Path
from types import MappingProxyType

from datasets import ClassLabel, Dataset, Features, Value

from corpora.items import Sentence, Split
from corpora.loading import load_corpus, miniature_folder
from tiny import save_checkpoint

TRAIN_SIZE = 60
VALIDATION_SIZE = 30

#: Served checkpoints and the family of each.
MODELS = MappingProxyType(
    {
        "google-bert/bert-base-uncased": "bert",
        "google-bert/bert-base-cased": "bert",
        "google-bert/bert-base-multilingual-cased": "bert",
        "google/electra-small-discriminator": "electra",
        "intfloat/multilingual-e5-small": "bert",
    }
)
#: Served treebank: (miniature treebank that it is cut from, repository of its release files).
TREEBANKS = MappingProxyType(
    {"en_ewt": ("en_mini", "UD_English-EWT"), "de_gsd": ("de_mini", "UD_German-GSD")}
)
RELEASE = "r2.7"

_COLA_SIZES = MappingProxyType(
    {
        "in_domain_train": TRAIN_SIZE,
        "in_domain_dev": VALIDATION_SIZE // 2,
        "out_of_domain_dev": VALIDATION_SIZE // 2,
    }
)
_UD_SIZES = MappingProxyType({"train": TRAIN_SIZE, "dev": VALIDATION_SIZE, "test": VALIDATION_SIZE})
_EMPTY_NODE_EVERY = 5
_GLUE_FEATURES = Features(
    {
        "sentence": Value("string"),
        "label": ClassLabel(names=["unacceptable", "acceptable"]),
        "idx": Value("int32"),
    }
)
_GLUE_CARD = """---
configs:
- config_name: cola
  data_files:
  - split: train
    path: cola/train-*
  - split: validation
    path: cola/validation-*
  - split: test
    path: cola/test-*
dataset_info:
- config_name: cola
  features:
  - name: sentence
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': unacceptable
          '1': acceptable
  - name: idx
    dtype: int32
---
"""


def write_local(folder: Path) -> None:
    """Samples the miniature corpora into a folder that ``DATA_DIR`` could point to."""
    _sample_cola(miniature_folder() / "cola", folder / "cola")
    for name, (origin, repository) in TREEBANKS.items():
        _sample_treebank(miniature_folder(), origin, folder / "ud" / repository, name)


def write_glue(local: Path, repository: Path) -> None:
    """The local CoLA as the hub has it: parquet with sentence, label and idx."""
    splits = load_corpus("cola", "local", ("train", "validation"), local).splits
    unlabelled = tuple(Sentence(s.text, -1, "", "", "") for s in splits["validation"].items)
    for split in (*splits.values(), Split("test", unlabelled)):
        path = repository / "cola" / f"{split.name}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        _build_glue_table(split).to_parquet(path)
    (repository / "README.md").write_text(_GLUE_CARD, encoding="utf-8")


def write_treebanks(local: Path, repository: Path, raw: Path, raw_url: str) -> None:
    """A loading script in one place, the release's files which it downloads in another."""
    for name, (_, treebank) in TREEBANKS.items():
        target = raw / "UniversalDependencies" / treebank / RELEASE
        target.mkdir(parents=True)
        for part in _UD_SIZES:
            file_name = f"{name}-ud-{part}.conllu"
            text = (local / "ud" / treebank / file_name).read_text(encoding="utf-8")
            (target / file_name).write_text(text, encoding="utf-8")
    repository.mkdir(parents=True)
    (repository / "README.md").write_text("---\nlicense: unknown\n---\n", encoding="utf-8")
    template = Path(__file__).with_name("hub_treebank_script.py").read_text(encoding="utf-8")
    script = template.replace("RAW_URL", f"{raw_url}UniversalDependencies")
    (repository / "universal_dependencies.py").write_text(script, encoding="utf-8")


def write_model(folder: Path, name: str, local: Path) -> None:
    """A tiny random checkpoint whose vocabulary holds the words of the local corpora."""
    save_checkpoint(folder, family=MODELS[name], words=_find_words(local), seed=0)


def _find_words(local: Path) -> list[str]:
    cola = load_corpus("cola", "local", ("train",), local).splits["train"]
    words = {word for item in cola.items for word in item.text.split()}
    for name in TREEBANKS:
        split = load_corpus(name, "local", ("train",), local).splits["train"]
        words |= {word.form for item in split.items for word in item.words}
    return sorted(words)


def _build_glue_table(split: Split) -> Dataset:
    columns = {
        "sentence": [item.text for item in split.items],
        "label": [item.label for item in split.items],
        "idx": list(range(len(split.items))),
    }
    return Dataset.from_dict(columns, features=_GLUE_FEATURES)


def _sample(items: list[str], size: int) -> list[str]:
    """Evenly spaced items: a file may be ordered by phenomenon."""
    return [items[index * len(items) // size] for index in range(size)]


def _sample_cola(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for stem, size in _COLA_SIZES.items():
        lines = (source / f"{stem}.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
        (target / f"{stem}.tsv").write_text("".join(_sample(lines, size)), encoding="utf-8")


def _sample_treebank(source: Path, origin: str, target: Path, name: str) -> None:
    target.mkdir(parents=True)
    for part, size in _UD_SIZES.items():
        # The miniature treebanks lack parts that the study does not use; the real ones have all.
        parts = sorted(source.glob(f"ud/UD_*/{origin}-ud-*.conllu"))
        path = next((p for p in parts if p.stem.endswith(f"-{part}")), parts[0])
        blocks = path.read_text(encoding="utf-8").rstrip("\n").split("\n\n")
        blocks = _sample(blocks, size)
        blocks[::_EMPTY_NODE_EVERY] = map(_add_empty_node, blocks[::_EMPTY_NODE_EVERY])
        text = "".join(f"{block}\n\n" for block in blocks)
        (target / f"{name}-ud-{part}.conllu").write_text(text, encoding="utf-8")


def _add_empty_node(block: str) -> str:
    """Ends a sentence in an elided word, with a tag of its own as in the real treebanks."""
    last = block.rsplit("\n", 1)[-1].split("\t")[0]
    return f"{block}\n{last}.1\tdid\tdo\tVERB\tVBD\tTense=Past\t_\t_\t1:conj:and\tCopyOf=1"
