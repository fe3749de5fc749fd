"""The time zone in which the organisation works: its days, deadlines, reports and nights."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

HOME = ZoneInfo("Europe/Copenhagen")


def day_of(at: datetime) -> date:
    """The organisation's day."""
    return at.astimezone(HOME).date()
