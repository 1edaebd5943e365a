"""Which updates can be compared: those of the matrices that every method changes.

LoRA adapts some kinds of matrices (query and value), full fine-tuning all six. Ranks and intruders
averaged over whatever a method changes would compare query with feed-forward: like belongs with
like, and the kinds that only some methods change are shown apart.
"""

from collections.abc import Sequence

import pandas as pd

from study.architecture import MATRIX_KINDS


def split_kinds(
    structure: pd.DataFrame, methods: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kinds of matrices that all of these methods change, and those that only some do.

    Args:
        structure: rows of one task with ``method``, ``kind`` and ``rank`` (0: not changed).
        methods: those that are compared.

    Returns:
        Both in the order of ``architecture.MATRIX_KINDS``; kinds that none changes are in neither.
    """
    changed = structure[structure["rank"] > 0]
    of_method = {m: set(changed.loc[changed["method"] == m, "kind"]) for m in methods}
    shared = set.intersection(*of_method.values()) if of_method else set()
    some = set().union(*of_method.values()) - shared
    return (
        tuple(kind for kind in MATRIX_KINDS if kind in shared),
        tuple(kind for kind in MATRIX_KINDS if kind in some),
    )
