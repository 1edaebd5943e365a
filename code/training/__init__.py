"""The optimisation, its instruments, and predictions."""
