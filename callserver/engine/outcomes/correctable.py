"""Whose outcomes a user may correct."""

from callserver.database.accounts import User
from callserver.database.calls import CallRow
from callserver.domain.campaign import Campaign
from callserver.domain.role import Role
from callserver.errors import NotAllowed, NotFound


def check(user: User, call: CallRow, campaign: Campaign) -> None:
    """Pass if the user may correct the outcome of this call of the campaign.

    Raises:
        NotAllowed: it is another phoner's call.
        NotFound: it is another department's.
    """
    if user.role == Role.PHONER and call.phoner != user.id:
        raise NotAllowed("this was another phoner's call", key="other_phoner")
    if user.department not in (None, campaign.department):
        raise NotFound("there is no call with an outcome to correct", key="not_found")
