"""Two servers at one PostgreSQL: an account is reset or changed in one while it is used or confirmed in the other."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from callserver.database import accounts, seats
from callserver.database.accounts import User
from callserver.database.tables import sessions
from callserver.domain.role import Role
from callserver.engine.accounts import confirmation, offboarding
from callserver.engine.accounts.administration import AccountDetails
from callserver.engine.accounts.authentication import NotSignedIn
from callserver.engine.accounts.confirmation import Confirmation
from callserver.engine.accounts.login_attempts import Source
from callserver.errors import Impossible, NotAllowed
from callserver.ports import Tx
from tests.harness.at_once import while_open
from tests.harness.staffed import PASSWORD, StaffedSystem


@pytest.fixture
def system(postgres_url: str, tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, phoners=0, database=postgres_url)
    yield made
    made.close()


def user(system: StaffedSystem, handle: str) -> User:
    found: User | None = system.read(lambda tx: accounts.by_handle(tx, handle))
    assert found is not None
    return found


def reset(system: StaffedSystem, of: User, by: User) -> Callable[[Tx], None]:
    """As an administrator does, who sees the new password."""

    def work(tx: Tx) -> None:
        confirmation.require_after_reset(tx, of, by)
        now = system.clock.now()
        offboarding.reset(tx, of, "$new", now, by=f"user:{by.id}", keep_code=True)

    return work


def beside(system: StaffedSystem, change: Callable[[Tx], None], work: Any) -> Any:
    """What the other server answers, whose request comes while the change is not committed yet."""

    def answer(_: Tx) -> BaseException | None:
        try:
            asyncio.run(work())
        except Exception as error:  # noqa: BLE001 - the test compares it
            return error
        return None

    return while_open(system.server.store.engine, change, answer)[1]


def test_no_session_with_the_old_password_outlasts_a_reset(system: StaffedSystem) -> None:
    system.add_user("maja", Role.PHONER)
    system.add_user("asger", Role.ADMINISTRATOR)
    maja, asger = user(system, "maja"), user(system, "asger")
    signing_in = system.server.authentication.sign_in
    answered = beside(
        system, reset(system, maja, asger), lambda: signing_in("maja", PASSWORD, Source())
    )
    assert isinstance(answered, NotSignedIn)
    count = select(func.count()).select_from(sessions)
    assert system.read(lambda tx: tx.execute(count).scalar_one()) == 0


def test_an_account_that_is_reset_is_not_confirmed_at_that_moment(system: StaffedSystem) -> None:
    """Its administrator, who knows the new password, could use it at once."""
    system.add_user("asger", Role.ADMINISTRATOR, None)
    asger = user(system, "asger")
    system.add_user("mads", Role.MEMBER_SERVICE, role_given_by=asger.id)
    system.add_user("lea", Role.LEADER, None)
    mads, lea = user(system, "mads"), user(system, "lea")
    confirming = Confirmation(system.server.ctx)
    answered = beside(system, reset(system, mads, asger), lambda: confirming.confirm(lea, mads.id))
    assert isinstance(answered, Impossible)
    kept = system.read(lambda tx: accounts.secrets_of(tx, mads.id))
    assert kept.role_given_by == asger.id


@pytest.mark.parametrize("change", [{"department": "syd"}, {"role": "supervisor"}])
def test_who_is_moved_at_that_moment_begins_no_shift_where_they_were(
    system: StaffedSystem, change: dict[str, str]
) -> None:
    system.add_user("maja", Role.PHONER)
    maja = user(system, "maja")

    def moves(tx: Tx) -> None:
        accounts.lock(tx, maja.id)
        accounts.change(tx, maja.id, **change)

    begins = system.server.phoner_actions.on_shift
    assert isinstance(beside(system, moves, lambda: begins(maja, "kanvas", None)), NotAllowed)


def test_nobody_is_moved_who_begins_a_shift_at_that_moment(system: StaffedSystem) -> None:
    system.add_user("maja", Role.PHONER)
    system.add_user("asger", Role.ADMINISTRATOR, None)
    maja, asger = user(system, "maja"), user(system, "asger")

    def begins(tx: Tx) -> None:
        accounts.lock(tx, maja.id)
        seat = seats.open_for(tx, maja.id, "nord", system.clock.now())
        seats.set_line(tx, seat.id, state="connecting")

    given = AccountDetails(maja.name, Role.PHONER, "syd", None, None)
    moves = system.server.account_administration.change
    assert isinstance(beside(system, begins, lambda: moves(asger, maja.id, given)), Impossible)
