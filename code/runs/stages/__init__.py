"""One module a stage: its ``STAGE``, the key of an entry, and how it is made."""
