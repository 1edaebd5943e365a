"""Results on disk: entries by key, the ledger of a profile, provenance, and reading them."""
