"""Dropout at a third of what torch's costs on a CPU.

On processors other than Intel's torch draws a mask number by number. That takes a fourteenth of a
step of a small encoder, and a sixth with LoRA, which drops out the input of every adapter (see
LOG.md). On a GPU torch's own is one kernel with the product, and is what runs.
"""

import torch
from torch import nn

_LEVELS = 2**16  # values of the 16 random bits that decide about an element


class BulkDropout(nn.Dropout):
    """``nn.Dropout`` that draws 64 random bits for four elements at a time on a CPU.

    The probability is rounded to a multiple of 2^-16, and what is kept is scaled by the rounded
    one, so that the expectation stays the input (Srivastava et al. 2014, section 10). The bits come
    from torch's global generator: what is stored with a checkpoint decides them.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Drops elements of a tensor of any shape; returns it unchanged outside of training."""
        dropped = round(self.p * _LEVELS)
        if not self.training or input.device.type != "cpu" or dropped in (0, _LEVELS):
            return super().forward(input)
        words = torch.empty(-(-input.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: input.numel()].view(input.shape)
        kept = bits >= dropped - _LEVELS // 2
        return input * (kept * (_LEVELS / (_LEVELS - dropped))).to(input.dtype)


def draw_masks_in_bulk(model: nn.Module) -> None:
    """Makes every dropout module of a model, an adapter's too, a ``BulkDropout``."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Dropout:
                parent.add_module(name, BulkDropout(child.p))
