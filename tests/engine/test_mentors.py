"""Who may be whose mentor, asked once for both doors: the floor's and the accounts'."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from callserver.database import accounts
from callserver.database.store import AnyStore
from callserver.domain.role import Role
from callserver.engine.accounts.administration import AccountAdministration, AccountDetails
from callserver.engine.listening import mentors
from callserver.engine.listening.feedback import ListeningFeedback
from callserver.errors import Impossible
from tests.harness.simulated import SimulatedSystem

PEOPLE: dict[int, dict[str, Any]] = {
    11: {"role": "phoner", "department": "nord"},
    12: {"role": "phoner", "department": "nord"},
    13: {"role": "phoner", "department": "syd"},
    14: {"role": "phoner", "department": "nord", "left_at": datetime(2026, 5, 1, tzinfo=UTC)},
    15: {"role": "supervisor", "department": "nord"},
    16: {"role": "administrator", "department": None},
}
TRAINEE, MENTOR = 11, 12

CASES = [
    (None, Role.PHONER, True),
    (MENTOR, Role.PHONER, True),
    (TRAINEE, Role.PHONER, False),  # themselves
    (13, Role.PHONER, False),  # another department's
    (14, Role.PHONER, False),  # has left
    (15, Role.PHONER, False),  # has no calls to be listened to
    (999, Role.PHONER, False),
    (MENTOR, Role.SUPERVISOR, False),  # listens by role, and is nobody's trainee
]


def populate(tx: Any) -> None:
    for key, more in PEOPLE.items():
        accounts.add(tx, id=key, handle=f"p{key}", name=f"Person {key}", **more)


@pytest.mark.parametrize(("mentor", "role", "may"), CASES)
def test_the_rule(store: AnyStore, mentor: int | None, role: Role, *, may: bool) -> None:
    refused = contextlib.nullcontext() if may else pytest.raises(Impossible, match="mentor")
    with store.engine.begin() as tx:
        populate(tx)
        with refused:
            mentors.check(tx, mentor, trainee=TRAINEE, role=role, department="nord")


@pytest.mark.parametrize(
    ("mentor", "may"), [(mentor, may) for mentor, role, may in CASES if role is Role.PHONER]
)
async def test_both_doors_keep_it(tmp_path: Path, mentor: int | None, *, may: bool) -> None:
    system = SimulatedSystem(tmp_path, phoners=0)
    system.write(populate)
    administrator = system.read(lambda tx: accounts.user(tx, 16))
    given = AccountDetails("Person 11", Role.PHONER, "nord", None, mentor=mentor)
    refused = contextlib.nullcontext() if may else pytest.raises(Impossible, match="mentor")

    async def accounts_page() -> None:
        await AccountAdministration(system.server.ctx).change(administrator, TRAINEE, given)

    async def floor() -> None:
        heard = ListeningFeedback(system.server.ctx, system.server.listener_legs)
        await heard.bind(administrator, TRAINEE, mentor)

    for door in (accounts_page, floor):
        system.write(lambda tx: accounts.change(tx, TRAINEE, mentor=None))
        with refused:
            await door()
        trainee = system.read(lambda tx: accounts.user(tx, TRAINEE))
        assert trainee.mentor == (mentor if may else None)
    system.close()
