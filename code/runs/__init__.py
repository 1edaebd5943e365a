"""Which runs there are, what they need, and the stages that make their results."""
