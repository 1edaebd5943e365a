"""Pretrained encoders, and sentences as they read them."""
