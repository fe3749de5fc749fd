"""The possible results of one row of an imported list."""

from enum import StrEnum


class RowFate(StrEnum):
    """Every row that was read has exactly one of these; the values are keys of an import's counts."""

    TAKEN = "taken"  # a new contact of the campaign
    CHANGED = "changed"  # an existing contact of the campaign whose details changed
    UNCHANGED = "unchanged"  # an existing contact of the campaign without changes
    DUPLICATE = "duplicates"  # a repeated row of this file
    REFUSED = "refused"
