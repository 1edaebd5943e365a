"""Similarity (CKA) of hidden states, base against tuned, on each evaluated set.

Compared are the tokens of random sentences, special tokens left out, and equally many of them on
every set, so that languages can be compared.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from encoders.memory import with_smaller_batches
from encoders.models import choose_device, describe_device
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Store
from training.prediction import group_by_length

STAGE = Stage("representation", 2, __name__)
TOKENS = 2000  # of a set that hidden states are compared on, if it has so many
SEED = 20_260_102  # of the choice of sentences; no training uses it
BATCH_SIZE = 32
Batches = Iterator[dict[str, Tensor]]


def make(store: Store, inputs: Inputs, run: Run, trained: Entry) -> Entry:
    """Compares a run's hidden states with its base model's, or finds them compared."""
    hashes = {a: inputs.split(run.task, a).content_hash for a in run.task.evaluations}
    source = {"train": trained.digest, "evaluations": hashes, "tokens": TOKENS, "seed": SEED}

    def compare(_folder: Path) -> dict[str, Any]:
        from drift.similarity import sample_tokens

        base, tuned = (model.to(choose_device()) for model in inputs.pair(run, trained))
        sentences = {a: _sentences(inputs, run, a) for a in run.task.evaluations}
        tokens = min(TOKENS, *(sum(map(_count, own)) for own in sentences.values()))
        cka, used = {}, {}
        for address, own in sentences.items():
            chosen = sample_tokens([_count(mask) for mask in own], tokens, SEED)
            batches = functools.partial(_batches, inputs, run, address, own, chosen)
            compute = functools.partial(_compute, base, tuned, batches)
            cka[address] = with_smaller_batches(compute, BATCH_SIZE)
            used[address] = len(chosen)
        return {"cka": cka, "tokens": tokens, "sentences": used}

    return STAGE.produce(store, STAGE.key(run.name, source), compare, describe_device())


def _compute(
    base: nn.Module, tuned: nn.Module, batches: Callable[[int], Batches], batch_size: int
) -> list[float]:
    from drift.similarity import compare_representations

    return compare_representations(base, tuned, batches(batch_size))


def _sentences(inputs: Inputs, run: Run, address: str) -> list[Tensor]:
    """For each sentence (or window) a mask (T,) of the tokens that are not special."""
    tokenizer = inputs.tokenizer(inputs.checkpoint(run.task, run.method))
    special = torch.tensor([tokenizer.cls_token_id, tokenizer.sep_token_id])
    features = inputs.encoded(run.task, run.method, address).features
    return [~torch.isin(torch.tensor(feature["input_ids"]), special) for feature in features]


def _count(mask: Tensor) -> int:
    return int(mask.sum())


def _batches(
    inputs: Inputs,
    run: Run,
    address: str,
    masks: list[Tensor],
    chosen: dict[int, int],
    batch_size: int,
) -> Batches:
    """The chosen sentences, shortest first; ``compared`` marks their first so many tokens."""
    features = inputs.encoded(run.task, run.method, address).features
    sentences = list(chosen)
    for group in group_by_length([len(masks[index]) for index in sentences], batch_size):
        own = [sentences[place] for place in group]
        ids = [torch.tensor(features[index]["input_ids"]) for index in own]
        compared = [masks[i] & (masks[i].cumsum(0) <= chosen[i]) for i in own]
        yield {
            "input_ids": pad_sequence(ids, batch_first=True),
            "attention_mask": pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
            "compared": pad_sequence(compared, batch_first=True),
        }
