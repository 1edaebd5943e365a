"""Every number once more: from stored predictions and weights to what the report shows.

Nothing here uses the functions that made the numbers: scores are counted with plain numpy,
distances follow from stored tensors by their definition, and what the documents show is read from
their text. Only the names of parameters (``study.architecture``) and the pretrained models are the
same.
"""
