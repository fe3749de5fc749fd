"""Why a call is to be ended, and which reason counts if there are several."""

PHONER_LOST = "phoner_lost"
"""There is no phoner: a person who answers hears who called, and an apology (I5)."""

HOURS_OVER = "hours_over"
"""It still rings, or is queued at the provider, when the calling hours end."""

PHONER_OFF = "phoner_off"
"""It still rings when its phoner ends the shift."""

SUPPRESSED = "suppressed"
"""It still rings when its number or person is suppressed."""

PHONER_HUNG_UP = "phoner_hung_up"
"""Its phoner has hung up, while it rang or in the talk."""

ONLY_RINGING = frozenset({HOURS_OVER, PHONER_OFF, SUPPRESSED})
"""Reasons that end no talk. A person who answers at that moment is not hung up on: what is due to them follows
from their answer."""

MAY_TALK = frozenset({HOURS_OVER, PHONER_HUNG_UP})
"""Reasons with which a talk may begin that is reported afterwards. A phoner who has hung up was there: the report of
the answer came after a short talk."""


def replaces(reason: str, before: str, *, is_answered: bool) -> bool:
    """Whether the reason takes the place of an earlier one. Before the answer, none that lets a talk begin takes
    the place of one that forbids it."""
    if not is_answered and reason in MAY_TALK and before not in MAY_TALK:
        return False
    ends_talks = before in ONLY_RINGING and reason not in ONLY_RINGING
    return ends_talks or (reason == SUPPRESSED and before in MAY_TALK)
