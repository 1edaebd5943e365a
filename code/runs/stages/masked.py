"""Loss of a trained run's encoder under its checkpoint's masked-language-model head, by sentence.

Stored are, for each evaluated set, the losses of the encoder before and after training and how many
pieces were masked, sentence by sentence. Sentences that the run was trained on are left out.
"""

from pathlib import Path
from typing import Any

import numpy as np

from corpora.items import Sentence, TaggedSentence
from encoders.masked import SHARE, MaskedText, load_masked_model, mask_pieces
from encoders.memory import with_smaller_batches
from encoders.models import choose_device, describe_device
from encoders.tokens import encode_texts
from runs.grid import Run, Stage
from runs.inputs import Inputs
from runs.stages.restored import array_name
from store.entries import Entry, Store, save_arrays

STAGE = Stage("masked", 1, __name__)
SEED = 20_260_104  # of the masks; no training uses it
BATCH_SIZE = 8  # a logit for each piece of the vocabulary at each position


def make(store: Store, inputs: Inputs, run: Run, trained: Entry) -> Entry:
    """Measures a run that moves its encoder, or finds it measured.

    The result's ``head`` says whether the checkpoint has such a head; without one there are no
    arrays.
    """
    hashes = {a: inputs.split(run.task, a).content_hash for a in run.task.evaluations}
    source = {"train": trained.digest, "evaluations": hashes, "share": SHARE, "seed": SEED}

    def measure(folder: Path) -> dict[str, Any]:
        from drift.masked_loss import masked_losses, put_encoder
        from drift.weights import read_pair

        checkpoint = inputs.checkpoint(run.task, run.method)
        model, mask = load_masked_model(checkpoint), inputs.tokenizer(checkpoint).mask_token_id
        if model is None or mask is None:
            return {"head": False}
        model.to(choose_device())
        encoders = read_pair(*inputs.pair(run, trained))
        arrays = {}
        for address in run.task.evaluations:
            texts = _held_out(inputs, run, address)

            def compute(size: int, texts: list[MaskedText] = texts) -> list[np.ndarray]:
                losses = []
                for weights in encoders:  # in batches of one size, so that equal weights agree
                    put_encoder(model, weights)
                    losses.append(masked_losses(model, texts, mask, size))
                return losses

            base, tuned = with_smaller_batches(compute, BATCH_SIZE)
            counts = np.array([len(text.masked) for text in texts])
            for name, values in (("base", base), ("tuned", tuned), ("pieces", counts)):
                arrays[array_name(name, address)] = values
        save_arrays(folder, **arrays)
        return {"head": True}

    return STAGE.produce(store, STAGE.key(run.name, source), measure, describe_device())


def _held_out(inputs: Inputs, run: Run, address: str) -> list[MaskedText]:
    """The evaluated sentences that are not in the training set, with their masks."""
    known = {_text(item) for item in inputs.split(run.task, run.task.train).items}
    texts = [_text(item) for item in inputs.split(run.task, address).items]
    texts = [text for text in texts if text not in known]
    tokenizer = inputs.tokenizer(inputs.checkpoint(run.task, run.method))
    special = set(tokenizer.all_special_ids)
    pieces = encode_texts(texts, tokenizer, run.method.training.max_length)
    return [mask_pieces(t, ids, special, SEED) for t, ids in zip(texts, pieces, strict=True)]


def _text(item: Sentence | TaggedSentence) -> str:
    return item.text if isinstance(item, Sentence) else " ".join(word.form for word in item.words)
