"""A study of seconds: tiny random encoders, a sample of the miniature corpora, two seeds."""

import tempfile
from pathlib import Path

from transformers import AutoModelForPreTraining

from corpora.loading import load_corpus
from hub_content import write_local
from study.profiles import load_profile
from study.settings import Profile
from tiny import save_checkpoint

PROFILE = """
[profiles.tiny]
title = "for the tests"

[profiles.tiny.cola]
origin = "local"
model_name_or_path = "tiny"
revision = ""
seeds = [1, 2]
price_steps = 2
restoration_items = 12

[profiles.tiny.cola.training]
num_train_epochs = 2
per_device_train_batch_size = 8
evaluations_per_epoch = 2

[profiles.tiny.pos]
origin = "local"
model_name_or_path = "tiny"
revision = ""
seeds = [1, 2]
price_steps = 2
restoration_items = 12

[profiles.tiny.pos.training]
num_train_epochs = 2
per_device_train_batch_size = 8
evaluations_per_epoch = 2
"""


def write_tiny_inputs(folder: Path) -> Path:
    """``data/`` in the layout of ``DATA_DIR`` and ``models/tiny/``, a checkpoint for its words."""
    write_local(folder / "data")
    words = find_words(folder / "data")
    save_checkpoint(folder / "models" / "tiny", words=words, kind=AutoModelForPreTraining)
    return folder


def find_words(data: Path) -> list[str]:
    """Every word of the training splits."""
    cola = load_corpus("cola", "local", ("train",), data).splits["train"]
    english = load_corpus("en_ewt", "local", ("train",), data).splits["train"]
    words = {word for item in cola.items for word in item.text.split()}
    return sorted(words | {word.form for item in english.items for word in item.words})


def load_tiny_profile(extra: str = "") -> Profile:
    """The tiny profile on the project's own defaults; ``extra`` is TOML that is laid on it."""
    with tempfile.TemporaryDirectory() as temporary:
        files = [Path(__file__).parent.parent / "experiments.toml"]
        for number, text in enumerate((PROFILE, extra)):
            file = Path(temporary) / f"{number}.toml"
            file.write_text(text, encoding="utf-8")
            files.append(file)
        return load_profile("tiny", files)
