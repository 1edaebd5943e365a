"""One table of everything that is measured; everything shown is a query on it."""
