"""How far a fine-tuned model's weights and hidden states moved from its base model's."""

from drift.distances import weight_distance

__all__ = ["weight_distance"]
