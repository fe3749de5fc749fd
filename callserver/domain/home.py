"""The time zone in which the organisation works: its days, deadlines, reports and nights."""

from zoneinfo import ZoneInfo

HOME = ZoneInfo("Europe/Copenhagen")
