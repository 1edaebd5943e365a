"""Metrics, intervals and analyses: pure functions on arrays."""
