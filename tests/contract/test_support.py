"""Support on both databases: messages, conversations, and who had something hard."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from callserver.adapters.config_folder import load
from callserver.database import accounts, support
from callserver.database.accounts import User
from callserver.database.store import AnyStore
from callserver.database.tables import calls
from callserver.domain.support import Hard, MessageState
from callserver.engine.context import Rules
from callserver.engine.support import messages, talks
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
RULES = Rules(load(Path(__file__).parents[2] / "config"))


def a_user(tx: Tx, handle: str, role: str, department: str = "nord") -> User:
    key = accounts.add(tx, handle=handle, name=handle.title(), role=role, department=department)
    user = accounts.user(tx, key)
    assert user is not None
    return user


def test_a_message_is_for_its_supervisors_alone(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        maja, sigrid = a_user(tx, "maja", "phoner"), a_user(tx, "sigrid", "supervisor")
        olav, other = a_user(tx, "olav", "supervisor"), a_user(tx, "siv", "supervisor", "syd")
        private = messages.send(tx, maja, "Kun til dig", sigrid.id, NOW)
        open_ = messages.send(tx, maja, "Til jer", None, NOW)
        with pytest.raises(NotFound):
            messages.send(tx, maja, "Til en anden afdeling", other.id, NOW)
        assert [message.id for message in support.to_supervisor(tx, sigrid.id, "nord")] == [
            private,
            open_,
        ]
        assert [message.id for message in support.to_supervisor(tx, olav.id, "nord")] == [open_]
        assert support.to_supervisor(tx, other.id, "syd") == []
        for who in (olav, other):
            with pytest.raises(NotFound):
                messages.answer(tx, who, private, "Hej", NOW)
        messages.take(tx, sigrid, private, NOW)
        with pytest.raises(Impossible):
            messages.take(tx, sigrid, private, NOW)
        messages.answer(tx, sigrid, private, "Kom ind", NOW)
        messages.close(tx, sigrid, private, NOW)
        assert [message.state for message in support.of_phoner(tx, maja.id)] == [
            MessageState.OPEN,
            MessageState.CLOSED,
        ]


def test_a_conversation_is_booked_once(store: AnyStore) -> None:
    at = NOW + timedelta(days=1)
    with store.engine.begin() as tx:
        maja, bo = a_user(tx, "maja", "phoner"), a_user(tx, "bo", "phoner")
        far, sigrid = a_user(tx, "siv", "phoner", "syd"), a_user(tx, "sigrid", "supervisor")
        key = talks.offer(tx, sigrid, at, 15, NOW)
        with pytest.raises(Impossible):
            talks.offer(tx, sigrid, at + timedelta(minutes=10), 15, NOW)
        assert [talk.id for talk in support.free_talks(tx, "nord", NOW)] == [key]
        assert support.free_talks(tx, "syd", NOW) == []
        with pytest.raises(NotFound):
            talks.book(tx, far, key, NOW)
        talks.book(tx, maja, key, NOW)
        with pytest.raises(Impossible):
            talks.book(tx, bo, key, NOW)
        talks.held(tx, sigrid, key, at)
        assert support.last_talked(tx) == {maja.id: at}


def a_call(tx: Tx, phoner: User, number: int, at: datetime, *, answered: bool) -> None:
    values = {
        "attempt": f"a{number}",
        "campaign": "kanvas",
        "path": "list",
        "number": 4532200000 + number,
        "person": number,
        "household": number,
        "seat": number,
        "phoner": phoner.id,
        "caller_id": "+4532123400",
        "room": "room",
        "revision": "r",
        "permit_at": at,
        "state": "ended",
        "ended_at": at,
        "answered_at": at if answered else None,
    }
    tx.execute(insert(calls).values(values))


def test_who_had_something_hard_until_somebody_has_talked(store: AnyStore) -> None:
    limit = RULES.current.organisation.support.unanswered
    with store.engine.begin() as tx:
        maja, bo = a_user(tx, "maja", "phoner"), a_user(tx, "bo", "phoner")
        sigrid, other = a_user(tx, "sigrid", "supervisor"), a_user(tx, "siv", "supervisor", "syd")
        for number in range(limit):
            at = NOW - timedelta(hours=5) + timedelta(minutes=number)
            a_call(tx, maja, number, at, answered=False)
            a_call(tx, bo, 1000 + number, at, answered=number == limit // 2)
        [hard] = talks.hard_times(tx, RULES, sigrid, NOW)
        assert (hard.phoner.id, hard.reasons, hard.last_talked) == (
            maja.id,
            (Hard.UNANSWERED,),
            None,
        )
        assert talks.hard_times(tx, RULES, other, NOW) == []
        talks.talked(tx, sigrid, maja.id, NOW)
        assert talks.hard_times(tx, RULES, sigrid, NOW + timedelta(minutes=1)) == []


def test_a_supervisor_who_leaves_frees_what_they_had(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        maja, sigrid = a_user(tx, "maja", "phoner"), a_user(tx, "sigrid", "supervisor")
        key = messages.send(tx, maja, "Kun til dig", sigrid.id, NOW)
        messages.take(tx, sigrid, key, NOW)
        talks.offer(tx, sigrid, NOW + timedelta(days=1), 15, NOW)
        support.release(tx, sigrid.id, NOW)
        [message] = support.of_phoner(tx, maja.id)
        assert (message.state, message.to, message.taken_by) == (MessageState.OPEN, None, None)
        assert support.free_talks(tx, "nord", NOW) == []
