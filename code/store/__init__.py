"""Results on disk: entries under their content, the ledger of a profile, frames for the report."""
