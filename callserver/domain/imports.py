"""What can become of one row of an imported list."""

from enum import StrEnum


class RowFate(StrEnum):
    """Every row that was read has exactly one of these; the values are keys of an import's counts."""

    TAKEN = "taken"  # a new contact of the campaign
    CHANGED = "changed"  # in the campaign already, and something about the person is new
    UNCHANGED = "unchanged"  # in the campaign already, and stays as it is
    DUPLICATE = "duplicates"  # in this file already
    REFUSED = "refused"
