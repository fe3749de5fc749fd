"""A user's own number is called around the calling hours only, by the same hours as contacts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from callserver.cli.invented_data import enter_line
from callserver.database import accounts
from callserver.domain import hours
from callserver.domain.line import HOURS_MARGIN, LineProblem, OwnLine
from callserver.engine import user_lines
from callserver.ports import Tx
from tests.harness.simulated import SimulatedSystem

NUMBER = "+4532200501"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    made.write(lambda tx: enter_line(tx, 1, NUMBER, made.clock.now()))
    yield made
    made.close()


def test_the_hours_around_a_line_end_with_the_close_guard(system: SimulatedSystem) -> None:
    current = system.server.ctx.rules.current
    campaign = current.campaigns["kanvas"]
    policy, place = current.policy_of(campaign), hours.place_of(NUMBER, None)
    second = timedelta(seconds=1)
    last = system.clock.now()
    while hours.is_open(policy, place, last + second):
        last += second
    assert hours.is_open(current.policies[campaign.policy], place, last + second)

    def decide(tx: Tx, after: timedelta) -> OwnLine | LineProblem:
        user = accounts.user(tx, 1)
        assert user is not None
        terms = system.server.ctx.terms
        return user_lines.decide(tx, terms, user, NUMBER, campaign, last + after)

    assert isinstance(system.read(lambda tx: decide(tx, HOURS_MARGIN)), OwnLine)
    assert system.read(lambda tx: decide(tx, HOURS_MARGIN + second)) is LineProblem.CLOSED
