"""Three lists of one town: what is known about a person from one of them holds in the others.

Judged by the town's own knowledge of who is who (residents.py), never by the server's keys.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from callserver.cli.invented_data import add_phoners, import_registers
from callserver.cli.simulate import Act, evening
from callserver.database import contacts as contact_rows
from callserver.database.contacts import Contact
from callserver.database.tables import audit, calls, contacts
from callserver.domain.facts import Scope
from callserver.domain.identity import NOBODY, NOBODY_ELSE
from callserver.domain.reach import MARKS, SCOPES, Extent, Reach
from callserver.engine.context import Rules
from callserver.engine.gate import stored_facts
from callserver.engine.identity import people_in_reach
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure, opt_outs, person_facts
from callserver.engine.suppressions.opt_outs import Origin
from callserver.engine.suppressions.person_facts import Fact
from callserver.ports import Tx
from callserver.simulator.evening import Plan
from callserver.simulator.population import BehaviourRates
from callserver.simulator.robots import Robot
from tests.harness.simulated import ROOT
from tests.simulator.residents import Source, Town

START = datetime.fromisoformat("2026-05-12T16:30:00+02:00")
SOURCES = (
    Source("kanvas", knows_mobile=0.3),
    Source("leads", "P", knows_mobile=0.7),
    Source("opgradering", "M", knows_mobile=0.6, members=True),
)
SECRET = b"simulated"
GAP = timedelta(hours=4)
"""Between two calls to a person, in config/policies/dk.yaml."""

KEY_ONLY = Extent(Reach.KEY, "the control")

REST = timedelta(days=180)
"""After a refusal, in the same policy."""

REFUSED = ("no_thanks", "never")
"""Outcomes after which nobody calls the person tonight, in the campaigns of config/."""


KINDS = ("person", "number", "household", "guardian", "revoked")


class Colleagues:
    """What member service records during the evening, about people whom the dice choose."""

    def __init__(self, town: Town, seed: int, kinds: Sequence[str] = KINDS) -> None:
        self._town = town
        self._kinds = kinds
        self._dice = random.Random(f"{seed}:colleagues")

    def acts(
        self, start: datetime, hours: float, version: int = 2, *, erases: bool = False
    ) -> list[tuple[datetime, Act]]:
        """Something every forty seconds; half-way through, every list again, written differently."""
        record = partial(self._record, erases=erases)
        acts: list[tuple[datetime, Act]] = [
            (start + timedelta(seconds=40 * turn), record) for turn in range(int(hours * 90))
        ]
        half = start + timedelta(hours=hours / 2)
        return acts + [(half, partial(self._take, source, version)) for source in SOURCES]

    def _take(self, source: Source, version: int, tx: Tx, rules: Rules, now: datetime) -> None:
        if source.members:  # the membership system is the one that hears of deaths
            self._town.dead |= set(self._dice.sample(range(len(self._town.residents)), 20))
        raw = self._town.rows(source, version).encode()
        import_list(tx, rules.campaign(source.campaign), raw, now)
        for who in self._town.listed(source) & self._town.dead if source.members else ():
            self._town.note(now, "person", who, "deceased")

    def _record(self, tx: Tx, rules: Rules, now: datetime, *, erases: bool) -> None:
        del rules
        named = select(contacts.c.id).where(contacts.c.number != NOBODY).order_by(contacts.c.id)
        contact = contact_rows.get(tx, self._dice.choice(tx.execute(named).scalars().all()))
        assert contact is not None
        who = self._town.resident(contact.campaign, contact.ref, contact.name, contact.number)
        known = contact_rows.of_person(tx, contact.person)
        what = self._dice.choice((*self._kinds, "erased") if erases else self._kinds)
        if what == "guardian":
            person_facts.note(tx, contact.number, known, Fact.GUARDIAN, "user:1", now)
        elif what == "revoked":
            person_facts.note(tx, contact.number, known, Fact.CONSENT_REVOKED, "user:1", now)
        elif what == "erased":
            erasure.erase(tx, contact.number, known, SECRET, "user:1", now)
        else:
            self._opt_out(tx, Scope(what), contact, now)
        reach = what if what in ("number", "household") else "person"
        of = {"person": who.id, "number": contact.number, "household": who.household}[reach]
        self._town.note(now, reach, of, what)

    @staticmethod
    def _opt_out(tx: Tx, scope: Scope, contact: Contact, now: datetime) -> None:
        origin = Origin(by="user:1", at=now, contact=contact.id)
        opt_outs.add(tx, [scope], None, [contact], SECRET, origin)


def rings(folder: Path, since: datetime) -> Sequence[Any]:
    """Every telephone that rang since then, with what its list says about the person."""
    query = (
        select(
            calls.c.rang_at,
            calls.c.number,
            calls.c.campaign,
            calls.c.path,
            calls.c.outcome,
            calls.c.outcome_at,
            contacts.c.ref,
            contacts.c.name,
        )
        .join(contacts, contacts.c.id == calls.c.contact)
        .where(calls.c.rang_at >= since, calls.c.number != NOBODY, contacts.c.number != NOBODY)
        .order_by(calls.c.rang_at)
    )
    engine = create_engine(f"sqlite:///{folder}/evening.db")
    with engine.connect() as connection:
        return connection.execute(query).all()


async def an_evening(
    folder: Path,
    town: Town,
    *,
    start: datetime = START,
    hours: float = 0.5,
    version: int = 1,
    erases: bool = False,
    kinds: Sequence[str] = KINDS,
) -> Sequence[Any]:
    """One evening of the town; what rang."""

    def fill(
        tx: Tx, rules: Rules, seed: int, now: datetime, phoners: int, count: int
    ) -> list[Robot]:
        del seed, count
        campaigns = [rules.campaign(source.campaign) for source in SOURCES]
        for source, campaign in zip(SOURCES, campaigns, strict=True):
            import_list(tx, campaign, town.rows(source, version).encode(), now)
        import_registers(tx, rules, now)
        if version == 1:
            return add_phoners(tx, rules, campaigns, phoners, now)
        return [
            Robot(user, f"robot-{user}", campaigns[user % len(campaigns)].name)
            for user in range(1, phoners + 1)
        ]

    rates = BehaviourRates(answers=0.5, talk_seconds=40)
    plan = Plan(start=start, hours=hours, seed=town.seed + version, rates=rates)
    colleagues = Colleagues(town, plan.seed, kinds)
    acts = colleagues.acts(start, hours, version + 1, erases=erases)
    await evening(plan, 9, 0, ROOT / "config", folder, fill=fill, acts=acts)
    rang = rings(folder, start)
    for ring in rang:
        if ring.outcome in REFUSED:
            who = town.resident(ring.campaign, ring.ref, ring.name, ring.number)
            until = ring.outcome_at + REST if ring.outcome == "no_thanks" else None
            town.note(ring.outcome_at, "person", who.id, ring.outcome, until)
    return rang


@pytest.mark.parametrize("seed", [1, 2])
async def test_nobody_is_called_whom_another_list_protects(tmp_path: Path, seed: int) -> None:
    town = Town(seed)
    rang = await an_evening(tmp_path, town)
    assert town.wronged(rang) == []
    assert town.called_again(rang, GAP) == []
    assert len(rang) > 40
    assert len(town.facts) > 40
    assert "deceased" in {fact.kind for fact in town.facts}


async def test_a_year_of_evenings_with_retention_and_erasures(tmp_path: Path) -> None:
    """Every fourth Tuesday the lists come again; the scheduler drops what is old, people are erased."""
    town = Town(3)
    rang = 0
    for month in range(12):
        start = START + timedelta(weeks=4 * month)
        evening_rings = await an_evening(
            tmp_path, town, start=start, hours=0.15, version=2 * month + 1, erases=True
        )
        assert town.wronged(evening_rings) == []
        assert town.called_again(evening_rings, GAP) == []
        rang += len(evening_rings)
    assert rang > 60
    assert {"erased", "no_thanks", "person"} <= {fact.kind for fact in town.facts}
    engine = create_engine(f"sqlite:///{tmp_path}/evening.db")
    with engine.connect() as connection:
        bodies = connection.execute(select(audit.c.body)).scalars()
        assert any(b'"kind":"retention"' in body for body in bodies)


def without(kind: str) -> tuple[Any, str, Any]:
    """Nothing is read that is known about the number, or about the household."""

    def subjects_of(*asked: Any) -> list[str]:
        return [about for about in SUBJECTS_OF(*asked) if not about.startswith(f"{kind}:")]

    return stored_facts, "subjects_of", subjects_of


SUBJECTS_OF = stored_facts.subjects_of
REMOVED = {
    "a number": without("number"),
    "a household": without("household"),
    "a mark": (stored_facts, "MARKS", dict.fromkeys(MARKS, KEY_ONLY)),
    "an opt-out of a person": (stored_facts, "SCOPES", {**SCOPES, Scope.PERSON: KEY_ONLY}),
    "everybody who may be the person": (people_in_reach, "of", lambda *_: NOBODY_ELSE),
}

ONLY = {"a number": ("number",), "a household": ("household",)}
"""So that a few evenings are enough."""


@pytest.mark.parametrize("reach", REMOVED)
async def test_without_one_reach_the_town_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reach: str
) -> None:
    """The control: in some evening of the three, the judge finds who was wronged."""
    monkeypatch.setattr(*REMOVED[reach])
    wronged: list[str] = []
    for seed in (1, 2, 3):
        (tmp_path / str(seed)).mkdir()
        town = Town(seed)
        kinds = ONLY.get(reach, KINDS)
        rang = await an_evening(tmp_path / str(seed), town, kinds=kinds)
        wronged += town.wronged(rang) + town.called_again(rang, GAP)
        if wronged:
            return
    raise AssertionError("nobody was wronged")
