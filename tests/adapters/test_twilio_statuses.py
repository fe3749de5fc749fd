"""What is made of the statuses of Twilio's calls."""

from types import SimpleNamespace

import pytest

from callserver.adapters.twilio import call_status
from callserver.ports import LegState


@pytest.mark.parametrize("status", ["", "held", "None"])
def test_an_unknown_status_is_asked_for_again(status: str) -> None:
    """It does not end the call: a person may be on the line."""
    assert call_status.leg(SimpleNamespace(status=status, sid="CA1")).state is LegState.NO_ANSWER
