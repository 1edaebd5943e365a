"""What the stand-in hub serves as loading script of ``universal_dependencies``.

It has the rows of the real one (release 2.7), every line of the file with ranges and empty nodes
among them, and what ``str`` makes of the parsed columns. ``RAW_URL`` is replaced by the address of
the stand-in's files.
"""

from pathlib import Path

import conllu
import datasets

_FILES = {"en_ewt": "UD_English-EWT", "de_gsd": "UD_German-GSD"}
_SPLITS = {"train": "train", "validation": "dev", "test": "test"}
_TAGS = [
    "NOUN",
    "PUNCT",
    "ADP",
    "NUM",
    "SYM",
    "SCONJ",
    "ADJ",
    "PART",
    "DET",
    "CCONJ",
    "PROPN",
    "PRON",
    "X",
    "_",
    "ADV",
    "INTJ",
    "VERB",
    "AUX",
]
_TEXT_COLUMNS = ("feats", "head", "deprel", "deps", "misc")


class UniversalDependencies(datasets.GeneratorBasedBuilder):
    VERSION = datasets.Version("2.7.0")
    BUILDER_CONFIGS = tuple(datasets.BuilderConfig(name=name, version="2.7.0") for name in _FILES)

    def _info(self):
        strings = datasets.Sequence(datasets.Value("string"))
        columns = dict.fromkeys(("tokens", "lemmas", "xpos", *_TEXT_COLUMNS), strings)
        columns["upos"] = datasets.Sequence(datasets.ClassLabel(names=_TAGS))
        columns |= {"idx": datasets.Value("string"), "text": datasets.Value("string")}
        return datasets.DatasetInfo(features=datasets.Features(columns))

    def _split_generators(self, dl_manager):
        name = self.config.name
        urls = {
            split: f"RAW_URL/{_FILES[name]}/r2.7/{name}-ud-{part}.conllu"
            for split, part in _SPLITS.items()
        }
        paths = dl_manager.download_and_extract(urls)
        return [
            datasets.SplitGenerator(name=split, gen_kwargs={"path": path})
            for split, path in paths.items()
        ]

    def _generate_examples(self, path):
        with Path(path).open(encoding="utf-8") as file:
            for key, sentence in enumerate(conllu.parse_incr(file)):
                yield key, _build_row(key, sentence)


def _build_row(key, sentence):
    tokens = [token["form"] for token in sentence]
    row = {name: [str(token[name]) for token in sentence] for name in _TEXT_COLUMNS}
    return row | {
        "idx": str(sentence.metadata.get("sent_id", key)),
        "text": sentence.metadata.get("text", " ".join(tokens)),
        "tokens": tokens,
        "lemmas": [token["lemma"] for token in sentence],
        "upos": [token["upos"] for token in sentence],
        "xpos": [token["xpos"] for token in sentence],
    }
