"""Words and number formats of the report's languages."""
