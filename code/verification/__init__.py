"""Scores and distances once more, from stored predictions and weights to what the report shows.

Facts are recomputed by their key without the functions that made them: scores are counted with
plain numpy, distances follow from stored tensors by their definition. The numbers of a page are
read by the keys that they carry. Only the names of parameters (``encoders.structure``), the
pretrained models, the lexicon's answers and the format of a number (``words.numbers``) are the
same.
"""
