"""The kinds of arrays that evidence is made of, of any width."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
Names = NDArray[np.str_]
Groups = Mapping[str, tuple[Names, list[str]]]  # kind -> each item's group, groups in order
CountMetric = Callable[[Floats], Floats]  # counts (..., K) -> values (...)
