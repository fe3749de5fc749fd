"""What is known of a person under one key keeps them from being called under another. All are invented."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.domain import identity, subject
from callserver.domain.facts import Scope
from callserver.domain.marks import MarkKind
from callserver.engine.identity import decisions, unsure
from callserver.engine.identity.unsure import Pair
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure, opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem

HEAD = "ref;navn;telefon;adresse;født;kilde\n"
ANNA = HEAD + "K1;Anna Prøve;32200000;Lynvej 1;1980-01-01;gade\n"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path, people=ANNA, phoners=2)
    made.people.default = Behaviour(answers_after=None)
    yield made
    made.close()


def listed(system: SimulatedSystem, rows: str, campaign: str = "kanvas") -> None:
    rules, now = system.server.ctx.rules, system.clock.now()
    system.write(lambda tx: import_list(tx, rules.campaign(campaign), (HEAD + rows).encode(), now))


def marked(system: SimulatedSystem, contact: int, kind: MarkKind) -> None:
    from callserver.database import contacts, marks

    def work(tx: Tx) -> None:
        row = contacts.get(tx, contact)
        assert row is not None
        marks.mark(tx, subject.of_person(row.person), kind, system.clock.now())

    system.write(work)


async def evening(system: SimulatedSystem) -> list[str]:
    """Everybody of the list is dialed who may be: the numbers that rang."""
    await system.on_shift()
    await system.ready()
    await system.pass_time(120)
    return [ring.number for ring in system.network.record]


OTHERS = {
    "the same number and name": "X9;ANNA  prøve;32200000;;1980-01-01;gade\n",
    "the same number": "X9;Bo Berg;32200000;;1980-01-01;gade\n",
    "the household and an initial": "X9;A. Prøve;32200009;Lynvej 1;1980-01-01;gade\n",
    "the household and no name": "X9;;32200009;Lynvej 1;1980-01-01;gade\n",
    "the same reference": "K1;Anna Prøve;32200009;Lynvej 9;1980-01-01;gade\n",
}


@pytest.mark.parametrize("row", OTHERS.values(), ids=OTHERS)
async def test_who_is_vulnerable_is_called_from_no_list(system: SimulatedSystem, row: str) -> None:
    marked(system, 1, MarkKind.VULNERABLE)
    listed(system, row)
    assert await evening(system) == []
    assert {contact.reason for contact in system.contacts()} == {"PERSON_VULNERABLE"}


async def test_another_first_name_in_the_household_is_another_person(
    system: SimulatedSystem,
) -> None:
    marked(system, 1, MarkKind.VULNERABLE)
    listed(system, "X9;Bo Prøve;32200009;Lynvej 1;1980-01-01;gade\n")
    assert await evening(system) == ["+4532200009"]


async def test_a_number_that_was_replaced_is_not_called_for_a_namesake(
    system: SimulatedSystem,
) -> None:
    listed(system, "K1;Anna Prøve;32200001;Lynvej 2;1980-01-01;gade\n", "lapsed")
    listed(system, "X8;A. Prøve;32200000;;1980-01-01;gade\nX9;Bo Berg;32200000;;1980-01-01;gade\n")
    assert await evening(system) == ["+4532200001"]
    refs = {contact.id: contact.ref for contact in system.contacts()}
    refused = {refs[entry["contact"]]: entry["reasons"] for entry in system.entries("refused")}
    assert "NUM_REASSIGNED" in refused["X8"]
    # Another name: only the calls to the number's people count.
    assert refused["X9"] == ["FREQ_GAP"]


async def test_a_crowd_at_a_number_is_not_called(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "MOST_PEOPLE", 3)
    listed(system, "".join(f"C{n};P{n};32200000;;1980-01-01;gade\n" for n in range(4)))
    assert await evening(system) == []
    assert {contact.reason for contact in system.contacts()} == {"PERSON_IN_CROWD"}


async def test_a_telephone_that_rings_is_silenced_for_all_in_reach(system: SimulatedSystem) -> None:
    listed(system, "X9;A. Prøve;32200009;Lynvej 1;1980-01-01;gade\n", "lapsed")

    def never(tx: Tx) -> None:
        from callserver.database import contacts

        row = contacts.get(tx, 2)
        assert row is not None
        origin = Origin(by="test", at=system.clock.now())
        opt_outs.add(tx, [Scope.PERSON], None, [row], b"", origin)

    await system.on_shift()
    await system.ready()
    await system.pass_time(2)
    assert system.live_legs()
    system.write(never)
    await system.pass_time(2)
    assert not system.live_legs()
    assert [call.stop_wanted for call in system.calls()] == ["suppressed"]


async def test_a_merge_and_its_undoing(system: SimulatedSystem) -> None:
    listed(system, "X9;Bo Berg;32200009;Lynvej 9;1980-01-01;gade\n")
    marked(system, 1, MarkKind.GUARDIAN)
    told: dict[str, Any] = {"by": "user:1", "why": "one person", "now": system.clock.now()}
    system.write(lambda tx: decisions.merge(tx, 2, 1, **told))
    assert await evening(system) == []
    assert {contact.reason for contact in system.contacts()} == {"PERSON_INCAPABLE"}
    system.clock.set(system.clock.now() + timedelta(minutes=1))
    told["now"] = system.clock.now()
    system.write(lambda tx: decisions.undo(tx, 1, 2, **told))
    await system.pass_time(60)
    assert [ring.number for ring in system.network.record] == ["+4532200009"]
    entries = system.entries("identity")
    assert [(entry["contact"], entry["other"], entry["verdict"]) for entry in entries] == [
        (2, 1, "same"),
        (1, 2, "undecided"),
    ]
    with pytest.raises(NotFound):
        system.write(lambda tx: decisions.undo(tx, 1, 2, **told))


async def test_a_split_that_is_undone_silences_a_telephone_that_rings(
    system: SimulatedSystem,
) -> None:
    """They may be one person again: what is known of the other reaches them."""
    listed(system, "X9;A. Prøve;32200009;Lynvej 1;1980-01-01;gade\n")
    told: dict[str, Any] = {"by": "user:1", "why": "two people", "now": system.clock.now()}
    system.write(lambda tx: decisions.split(tx, 1, 2, **told))
    marked(system, 1, MarkKind.GUARDIAN)
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    (leg,) = system.live_legs()
    told["now"] = system.clock.now()
    system.write(lambda tx: decisions.undo(tx, 1, 2, **told))
    await system.pass_time(1)
    assert not leg.live


@pytest.mark.parametrize("step", [decisions.split, decisions.undo])
async def test_who_was_erased_stays_erased_when_a_merge_ends(
    system: SimulatedSystem, step: Any
) -> None:
    """The other one is asked about again; a list brings nothing of the erased one back."""
    from callserver.database import contacts

    listed(system, "X9;Bo Berg;32200009;Lynvej 9;1980-01-01;gade\n")
    told: Any = {"by": "user:1", "why": "one", "now": system.clock.now()}
    system.write(lambda tx: decisions.merge(tx, 1, 2, **told))
    number = 4532200000
    system.write(
        lambda tx: erasure.erase(
            tx, number, contacts.by_number(tx, number), b"test", "user:1", system.clock.now()
        )
    )
    assert await evening(system) == []
    assert {contact.reason for contact in system.contacts()} == {"PERSON_ERASED"}
    listed(system, "X9;Bo Berg;32200008;Lynvej 9;1980-01-01;gade\n")
    await system.pass_time(60)
    system.write(lambda tx: step(tx, 1, 2, **told))
    await system.pass_time(60)
    assert [ring.number for ring in system.network.record] == ["+4532200008"]
    listed(system, "K1;Anna Prøve;32200001;Lynvej 2;1980-01-01;gade\n")
    anna = system.contacts()[0]
    assert (anna.status, anna.reason) == ("closed", "PERSON_ERASED")
    assert (anna.name, anna.number) == (None, identity.NOBODY)


def test_one_key_cannot_be_split(system: SimulatedSystem) -> None:
    listed(system, "K1;Anna Prøve;32200000;Lynvej 1;1980-01-01;gade\n", "lapsed")
    with pytest.raises(Impossible):
        system.write(
            lambda tx: decisions.split(tx, 1, 2, by="user:1", why="two", now=system.clock.now())
        )


def test_unsure_pairs_are_listed_until_they_are_decided(system: SimulatedSystem) -> None:
    listed(
        system,
        "X1;Bo Berg;32200000;;1980-01-01;gade\n"  # shares her number
        "X2;ANNA Prøve;32200000;;1980-01-01;gade\n"  # is her: no question
        "X3;A. Prøve;32200003;Lynvej 1;1980-01-01;gade\n"  # may be her
        "X4;Ida Prøve;32200004;Lynvej 1;1980-01-01;gade\n",  # is another
    )

    def pairs() -> list[Pair]:
        pairs, cursor = [], unsure.FIRST
        while True:
            page = system.read(lambda tx: unsure.page(tx, cursor))  # noqa: B023 - read at once
            pairs += page.pairs
            if page.following is None:
                return pairs
            cursor = page.following

    assert pairs() == [Pair(1, 2, "number"), Pair(2, 3, "number"), Pair(1, 4, "household")]
    told: dict[str, Any] = {"by": "user:1", "why": "seen", "now": system.clock.now()}
    system.write(lambda tx: decisions.split(tx, 1, 2, **told))
    assert pairs() == [Pair(2, 3, "number"), Pair(1, 4, "household")]
