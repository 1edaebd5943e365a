"""From the document to HTML and PDF."""
