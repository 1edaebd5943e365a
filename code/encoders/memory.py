"""When memory runs out: smaller batches, and in the end a sentence instead of a traceback."""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from study.errors import StudyError

Result = TypeVar("Result")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)
_KEPT_BYTES = 2**30
_ON_A_CPU = ("can't allocate memory", "not enough memory")  # torch's CPU allocators


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the GPU's or the machine's memory is what was too small."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _ON_A_CPU)


def keep_freed_memory() -> None:
    """Lets glibc use the memory of freed tensors again in place of giving it back to the system.

    By default each large tensor is mapped and unmapped, and every page of it is faulted in anew: a
    quarter of a training step on a CPU (see LOG.md). No effect with another C library.
    """
    set_thresholds(_KEPT_BYTES, _KEPT_BYTES)


def set_thresholds(mapping: int, trimming: int) -> None:
    """Bytes above which glibc maps a tensor for itself, and gives free memory back: mallopt(3)."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_THRESHOLD, mapping)
        libc.mallopt(_M_TRIM_THRESHOLD, trimming)


def release_memory() -> None:
    """Gives back what is no longer used."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def with_smaller_batches(compute: Callable[[int], Result], batch_size: int) -> Result:
    """``compute(batch_size)``, again with half the batch whenever memory runs out.

    Raises:
        StudyError: a batch of one does not fit either.
    """
    while True:
        try:
            return compute(batch_size)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside of the handler nothing holds the failed frames, and with them their tensors.
        release_memory()
        if batch_size == 1:
            raise too_small("a batch of one sentence")
        batch_size //= 2
        print(f"memory ran out: batches of {batch_size} from here on", file=sys.stderr, flush=True)


@contextlib.contextmanager
def memory_errors(what: str) -> Iterator[None]:
    """Turns memory that runs out into a sentence that says what for."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        release_memory()
        raise too_small(what) from error


def too_small(what: str) -> StudyError:
    """The sentence about memory that does not hold ``what``."""
    return StudyError(
        f"the memory is too small for {what}",
        remedy="free it (nvidia-smi shows who uses a GPU), lower max_length or choose a smaller "
        "encoder; lowering per_device_train_batch_size changes the experiment",
    )
