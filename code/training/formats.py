"""Which products of a training step stay in float32 where the others are bfloat16 on a CPU."""

import torch
from torch import nn


def keep_adapters_in_float32(model: nn.Module) -> None:
    """Takes LoRA's own two products out of autocast on a CPU.

    They are so thin that casting what goes into them and comes out of them takes longer than the
    products do (see LOG.md). On a GPU, and in float32, nothing changes.
    """
    from peft.tuners.lora import LoraLayer  # takes seconds; a render of stored results needs none

    for module in model.modules():
        if isinstance(module, LoraLayer):
            for linear in (*module.lora_A.values(), *module.lora_B.values()):
                linear.forward = torch.autocast("cpu", enabled=False)(linear.forward)
