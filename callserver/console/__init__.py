"""The JSON API and the pages, for browsers and machines."""
