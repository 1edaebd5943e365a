"""From files and the hub to checked sentences and words."""
