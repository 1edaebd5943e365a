"""The settings of an adapter, as ``experiments.toml`` has them."""

import json
import math
from dataclasses import dataclass
from typing import Any

from study.checks import require, require_distinct

#: peft's methods that add vectors to a layer's input and change no weight.
PROMPT_LEARNING = (
    "PREFIX_TUNING",
    "PROMPT_TUNING",
    "MULTITASK_PROMPT_TUNING",
    "P_TUNING",
    "ADAPTION_PROMPT",
    "CPT",
    "CARTRIDGE",
)
#: Options of peft's configurations that the study sets itself.
_NOT_OF_ADAPTERS = (
    "task_type",
    "inference_mode",
    "modules_to_save",
    "base_model_name_or_path",
    "revision",
    "auto_mapping",
    "peft_version",
)


@dataclass(frozen=True)
class AdapterSettings:
    """An adapter in peft's own words: ``{ peft_type = "LORA", r = 8, target_modules = [...] }``.

    What an option means, and its default, is said by peft's configuration of that type; whether it
    fits a model is checked by building it (``encoders.adapters``). Kept as text, so that settings
    can be compared and hashed, and nothing that peft does to a list it is given comes back.
    """

    peft_type: str
    written: str = "{}"  # the other options, as JSON

    def __post_init__(self) -> None:
        for name, value in self.options.items():
            require(name not in _NOT_OF_ADAPTERS, name, value, "left to the study, which sets it")
            if name in ("r", "num_virtual_tokens"):
                whole = isinstance(value, int) and not isinstance(value, bool)
                require(whole and value >= 1, name, value, "a whole number of at least 1")
            if name == "lora_alpha":
                number = isinstance(value, int | float) and not isinstance(value, bool)
                require(number and 0 < value < math.inf, name, value, "a number above 0")
            if name.endswith("dropout"):
                number = isinstance(value, int | float) and not isinstance(value, bool)
                require(number and 0 <= value < 1, name, value, "in [0, 1)")
            if name in ("target_modules", "feedforward_modules") and not isinstance(value, str):
                texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
                require(texts and bool(value), name, value, "a list of names, or a pattern")
                require_distinct(value, name)

    @classmethod
    def of(cls, peft_type: str, **options: Any) -> "AdapterSettings":
        """The settings with these options.

        Raises:
            StudyError: an option is out of range, or none of an adapter's.
        """
        return cls(peft_type, json.dumps(options, sort_keys=True))

    @property
    def options(self) -> dict[str, Any]:
        """The options as they were written, a new copy each time."""
        return dict(json.loads(self.written))

    @property
    def mergeable(self) -> bool:
        """Whether the adapter is a change of weights."""
        return self.peft_type not in PROMPT_LEARNING

    @property
    def is_plain_lora(self) -> bool:
        """Whether it is LoRA as Hu et al. (2021) describe it: W + (lora_alpha / r) B A."""
        plain = {"r", "lora_alpha", "lora_dropout", "target_modules"}
        return self.peft_type == "LORA" and set(self.options) <= plain
