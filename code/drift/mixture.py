"""A tuned model of which parts are set back to their values before training.

Inference only: the weights of both ends are there, and any mixture of them is a model. Of an
adapter the merged weights are taken, so that a part set back has the base model's own.
"""

from collections.abc import Collection

import torch
from torch import nn

from drift.weights import read_pair
from encoders.structure import find_places


class Mixture:
    """A classifier whose layers can be set to their values before or after training.

    Args:
        base: the classifier before training, with its initial head; it becomes the mixture's.
        tuned: the one after training; an adapter is merged for it and left as it is.

    Attributes:
        places: where its parameters stand.
        model: the classifier; its weights are overwritten by ``restore``.
        before: parameters before training, by canonical name.
        after: those after it, adapters merged.

    Raises:
        StudyError: as ``weights.read_weights``.
    """

    def __init__(self, base: nn.Module, tuned: nn.Module):
        before, after = read_pair(base, tuned)
        self.model = base
        self.places = find_places(base)
        self.before = {name: weight.load().clone() for name, weight in before.items()}
        self.after = {name: weight.load().clone() for name, weight in after.items()}

    @torch.no_grad()
    def restore(self, layers: Collection[str]) -> nn.Module:
        """The model with these layers (canonical) as before training and all others after it."""
        for name, parameter in self.model.named_parameters():
            place = self.places[name]
            side = self.before if place.layer in layers else self.after
            parameter.copy_(side[place.name])
        return self.model
