"""Versions and signatures on both databases."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from callserver.database import training, training_sessions, worked_shifts
from callserver.database.store import AnyStore
from callserver.domain.training import Signature

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


async def test_a_version_is_signed_once(store: AnyStore) -> None:
    assert await store.run(lambda tx: training.sign(tx, 1, "ethics", "v1", NOW))
    assert not await store.run(lambda tx: training.sign(tx, 1, "ethics", "v1", LATER))
    assert await store.run(lambda tx: training.sign(tx, 1, "ethics", "v2", LATER))
    assert await store.read(lambda tx: training.signatures_of(tx, 1)) == [
        Signature("ethics", "v1", NOW),
        Signature("ethics", "v2", LATER),
    ]
    assert await store.read(lambda tx: training.signed(tx, 1)) == {
        ("ethics", "v1"): NOW,
        ("ethics", "v2"): LATER,
    }
    assert await store.read(lambda tx: training.signed(tx, 2)) == {}


async def test_an_old_signature_is_renewed(store: AnyStore) -> None:
    signed = partial(training.sign, user=1, document="ethics", version="v1")
    assert await store.run(partial(signed, now=NOW, again_since=NOW))
    before = NOW - timedelta(seconds=1)
    assert not await store.run(partial(signed, now=LATER, again_since=before))
    assert await store.run(partial(signed, now=LATER, again_since=NOW))
    assert await store.read(lambda tx: training.signed(tx, 1)) == {("ethics", "v1"): LATER}


async def test_a_version_that_returns_keeps_its_first_time(store: AnyStore) -> None:
    for number, version in enumerate(("v1", "v2", "v2", "v1")):
        in_force, at = {"ethics": version}, NOW + timedelta(hours=number)
        await store.run(partial(training.put_in_force, in_force=in_force, now=at))
    rows = await store.read(training.versions)
    assert [(row.version, row.since, row.first_at) for row in rows] == [
        ("v2", NOW + timedelta(hours=1), NOW + timedelta(hours=1)),
        ("v1", NOW + timedelta(hours=3), NOW),
    ]


async def test_the_words_about_a_conversation_are_dropped(store: AnyStore) -> None:
    record = partial(worked_shifts.record_talk, user=1, supervisor=2, supervisor_at=NOW, words="Ro")
    await store.run(record)
    await store.run(partial(worked_shifts.record_talk, user=1, phoner_at=LATER))
    await store.run(partial(worked_shifts.forget_words, before=NOW))
    kept = await store.read(lambda tx: worked_shifts.talk(tx, 1))
    assert kept == worked_shifts.Talk(2, LATER, NOW, "Ro")
    await store.run(partial(worked_shifts.forget_words, before=LATER))
    kept = await store.read(lambda tx: worked_shifts.talk(tx, 1))
    assert kept == worked_shifts.Talk(2, LATER, NOW, "")


async def test_the_time_of_a_day_adds_up(store: AnyStore) -> None:
    add = partial(worked_shifts.add_time, user=1, day=NOW.date(), seconds=1800)
    assert [await store.run(add), await store.run(add)] == [1800, 3600]
    assert await store.read(lambda tx: worked_shifts.counted_days(tx, 1)) == []
    await store.run(partial(worked_shifts.count_day, user=1, day=NOW.date()))
    assert await store.read(lambda tx: worked_shifts.counted_days(tx, 1)) == [NOW.date()]


async def test_who_is_new_has_heard_attended_and_talked_about_nothing(store: AnyStore) -> None:
    assert await store.read(lambda tx: worked_shifts.heard_by_supervisors(tx, 1)) == []
    assert await store.read(lambda tx: worked_shifts.talk(tx, 1)) is None
    key = await store.run(
        lambda tx: training_sessions.add(tx, "course", "nord", NOW.date(), 2, [1])
    )
    for attended in (True, False):
        work = partial(training_sessions.set_attended, key=key, user=1, attended=attended)
        assert await store.run(work)
        held = await store.read(lambda tx: worked_shifts.attended(tx, 1, NOW.date()))
        assert held == ({"course"} if attended else frozenset())
    before = await store.read(lambda tx: worked_shifts.attended(tx, 1, LATER.date()))
    assert before == frozenset()
