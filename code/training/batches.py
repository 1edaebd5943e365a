"""The order of the training data: batches of like length, in random order, from seed and epoch.

It depends on nothing else: not on torch's global generator, which dropout uses, and not on the
method, so that all methods of a seed see the same batches and a resumed training goes on with the
order that an uninterrupted one has.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler


class LengthBatches(Sampler[list[int]]):
    """Batches of indices; all are full but one, whose place in the order of lengths is random.

    Sorting by length (ties in random order) leaves little padding; the random order of the batches
    keeps the loss from going up and down with the length of the sentences.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int):
        self._lengths = np.asarray(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the order of an epoch, counted from 0."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-len(self._lengths) // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng([self._seed, self._epoch])
        ties = generator.permutation(len(self._lengths))
        order = ties[np.argsort(self._lengths[ties], kind="stable")]
        sizes = np.full(len(self), self._batch_size)
        sizes[generator.integers(len(self))] -= len(self) * self._batch_size - len(order)
        batches = np.split(order, np.cumsum(sizes)[:-1])
        for number in generator.permutation(len(batches)):
            yield batches[number].tolist()
