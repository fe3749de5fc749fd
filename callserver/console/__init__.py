"""The people's door: the JSON API that phoners' pages and machines use."""
