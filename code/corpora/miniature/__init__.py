"""The miniature corpora of the demo."""
