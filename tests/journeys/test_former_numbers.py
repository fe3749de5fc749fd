"""A person is named by a number that a list has replaced since: what they say is about them, not about that number
alone."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from callserver.cli import cases, person, suppress
from callserver.database import accounts, contacts, look_ups
from callserver.database.tables import former_identifiers
from callserver.domain.identity import NOBODY
from callserver.domain.marks import MarkKind
from callserver.domain.role import Role
from callserver.engine.gate import explanation
from callserver.engine.lists import consent_files, removal
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import mark_undo
from callserver.ports import Tx
from tests.harness.simulated import ROOT
from tests.harness.staffed import StaffedSystem

FORMER, PRESENT = "32200000", "32200077"
HEAD = "ref;navn;telefon;husstand;født;kilde\n"
INBOUND = "http://calls.test/twilio/voice/inbound"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaffedSystem]:
    """Anna, whom nobody has called yet, has another number than formerly."""
    anna = f"{HEAD}K1;Anna Holm;{FORMER};Gade 1;1980-01-01;gade\n"
    made = StaffedSystem(tmp_path, people=anna)
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    made.add_user("lea", Role.LEADER, None)
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{tmp_path}/system.db")
    monkeypatch.setenv("CALLSERVER_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("CALLSERVER_KEY", "test")
    monkeypatch.setenv("CALLSERVER_CLOCK", made.clock.now().isoformat())
    take(made, f"K1;Anna Holm;{PRESENT};Vej 2;1980-01-01;gade\n")
    yield made
    made.close()


def take(system: StaffedSystem, rows: str) -> None:
    chosen, now = system.server.ctx.rules.campaign("kanvas"), system.clock.now()
    system.write(lambda tx: import_list(tx, chosen, (HEAD + rows).encode(), now, source="x"))


def against(system: StaffedSystem, number: str) -> set[str]:
    """Why the number is not called, whatever the hour."""
    rules = system.server.ctx.rules
    later = system.clock.now() + timedelta(days=1)  # a command has a clock of its own
    explained = system.read(
        lambda tx: explanation.explain(tx, rules, b"test", number, rules.campaign("kanvas"), later)
    )
    lasting = ("SUP_", "PERSON_", "NUM_")
    return {reason.value for reason in explained.reasons if reason.value.startswith(lasting)}


def run(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    for commands in (suppress, cases, person):
        commands.register(app)
    result = CliRunner().invoke(app, words)
    return result.exit_code, f"{result.output}{result.exception or ''}"


async def command(*words: str) -> None:
    code, said = await asyncio.to_thread(run, *words)
    assert code == 0, said


async def post(system: StaffedSystem, path: str, **body: object) -> None:
    reply = await (await system.client("mads")).api("POST", path, body)
    assert reply.status_code in (200, 201), reply.text


async def by_page(system: StaffedSystem) -> None:
    await post(system, "/suppressions", number=FORMER, scope="person", received_by="letter")


async def by_complaint(system: StaffedSystem) -> None:
    await post(system, "/suppressions", number=FORMER, scope="complaint", received_by="letter")


async def by_household(system: StaffedSystem) -> None:
    await post(system, "/suppressions", number=FORMER, scope="household", received_by="letter")


async def by_who_called(system: StaffedSystem) -> None:
    await post(system, "/who-called/opt-out", number=FORMER, reach="never")


async def by_case(system: StaffedSystem) -> None:
    body = {"language": "da", "words": "", "reply_by": None, "reply_to": ""}
    await post(system, "/cases", kind="opt_out", source="letter", number=FORMER, **body)


async def by_command(system: StaffedSystem) -> None:
    await command("suppress", "add", FORMER, "--scope", "person")


async def by_commanded_complaint(system: StaffedSystem) -> None:
    await command("suppress", "add", FORMER, "--scope", "complaint")


async def by_commanded_case(system: StaffedSystem) -> None:
    await command("cases", "open", "opt_out", "--number", FORMER, "--by", "mads")


async def by_calling_back(system: StaffedSystem) -> None:
    system.people.keys[f"+45{FORMER}"] = "9"
    await system.network.call_in(f"+45{FORMER}", "+4532123400", INBOUND)
    await system.pass_time(40)


async def by_consents(system: StaffedSystem) -> None:
    rows = f"telefon;navn;dato;samtykke\n{FORMER};Anna Holm;01-11-2026;nej\n"
    system.write(
        lambda tx: consent_files.take(
            lambda: nullcontext(tx), rows.encode(), "user:1", system.clock.now()
        )
    )


async def by_unread_consents(system: StaffedSystem) -> None:
    rows = f"telefon;navn;dato;samtykke\n{FORMER} og mere;Anna Holm;01-11-2026;nej\n"
    system.write(
        lambda tx: consent_files.take(
            lambda: nullcontext(tx), rows.encode(), "user:1", system.clock.now()
        )
    )


async def by_fact(system: StaffedSystem) -> None:
    await post(system, "/person/facts", number=FORMER, contact=1, fact="guardian")


async def by_commanded_fact(system: StaffedSystem) -> None:
    await command("person", "vulnerable", FORMER, "--contact", "1")


WAYS = (
    by_page,
    by_complaint,
    by_household,
    by_who_called,
    by_case,
    by_command,
    by_commanded_complaint,
    by_commanded_case,
    by_calling_back,
    by_consents,
    by_unread_consents,
    by_fact,
    by_commanded_fact,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_former_number_names_the_person(
    system: StaffedSystem, way: Callable[[StaffedSystem], Awaitable[None]]
) -> None:
    assert against(system, PRESENT) == set()
    await way(system)
    assert against(system, PRESENT) & {
        "SUP_PERSON",
        "SUP_COMPLAINT",
        "SUP_HOUSEHOLD",
        "SUP_CONSENT_REVOKED",
        "PERSON_INCAPABLE",
        "PERSON_VULNERABLE",
    }


async def test_who_was_taken_off_the_list_is_protected_when_they_come_again(
    system: StaffedSystem,
) -> None:
    system.write(lambda tx: removal.remove(tx, 1, "by mistake", "user:1", system.clock.now()))
    await by_page(system)
    take(system, f"K1;Anna Holm;{PRESENT};Vej 2;1980-01-01;gade\n")
    assert "SUP_PERSON" in against(system, PRESENT)


async def test_the_number_alone_stays_the_number(system: StaffedSystem) -> None:
    await post(system, "/suppressions", number=FORMER, scope="number", received_by="letter")
    assert against(system, PRESENT) == set()


async def test_pages_show_who_had_the_number_and_the_log_says_so(system: StaffedSystem) -> None:
    mads = await system.client("mads")
    [known] = (await mads.api("POST", "/suppressions/search", {"number": FORMER})).json()["known"]
    assert (known["name"], known["formerly"]) == ("Anna Holm", True)
    [known] = (await mads.api("POST", "/suppressions/search", {"number": PRESENT})).json()["known"]
    assert known["formerly"] is False
    [person] = (await mads.api("POST", "/who-called", {"number": FORMER})).json()["people"]
    assert (person["contact"], person["formerly"]) == (1, True)
    [hit] = (await mads.api("POST", "/person/search", {"text": FORMER})).json()["hits"]
    assert hit["contact"] == 1
    assert len(system.read(lambda tx: look_ups.about(tx, 1))) == 4


async def test_a_fact_needs_the_contact_because_another_may_have_the_number(
    system: StaffedSystem,
) -> None:
    mads = await system.client("mads")
    for fact in ("deceased", "guardian", "consent_revoked", "erased"):
        body = {"number": FORMER, "fact": fact}
        reply = await mads.api("POST", "/person/facts", body)
        assert reply.status_code == 409
        assert "har haft det tidligere" in reply.json()["detail"]
    assert against(system, PRESENT) == set()
    code, said = await asyncio.to_thread(run, "person", "erase", FORMER)
    assert code != 0
    assert "name the contact that is meant, one of 1" in said


async def test_a_consent_takes_the_present_number(system: StaffedSystem) -> None:
    lea = await system.client("lea")
    body = {"number": FORMER, "at": system.clock.now().isoformat()}
    reply = await lea.api("POST", "/person/consent", body)
    assert reply.status_code == 409
    assert "Ingen er kendt" in reply.json()["detail"]
    assert (await lea.api("POST", "/person/consent", {**body, "contact": 1})).status_code == 404


async def test_a_wrong_number_is_the_number_and_not_who_had_it(system: StaffedSystem) -> None:
    await post(system, "/person/facts", number=FORMER, fact="reassigned")
    assert against(system, PRESENT) == set()


async def test_who_has_the_number_now_lifts_nothing_of_who_had_it(
    system: StaffedSystem,
) -> None:
    """An opt-out of Anna alone; by its id it can be lifted from the former number too."""
    await by_page(system)
    await system.jump(86_400 * 2)
    lea = await system.client("lea")
    body = {
        "number": FORMER,
        "asked_on": system.clock.now().date().isoformat(),
        "channel": "letter",
        "why": "wants calls",
    }
    assert (await lea.api("POST", "/suppressions/lift", body)).status_code == 404
    shown = (await lea.api("POST", "/suppressions/search", {"number": FORMER})).json()
    [row] = shown["opt_outs"]
    lifted = (await lea.api("POST", "/suppressions/lift", {**body, "id": row["id"]})).json()
    assert lifted["proposed"] == 1


async def test_a_mark_at_a_number_is_undone_when_somebody_is_known_there(
    system: StaffedSystem,
) -> None:
    await post(system, "/person/facts", number="32200099", fact="deceased")
    take(system, "K2;Bo Berg;32200099;Sti 3;1980-01-01;gade\n")
    assert "PERSON_DECEASED" in against(system, "32200099")
    campaigns = system.server.ctx.rules.current.campaigns

    kind, now = MarkKind.DECEASED, system.clock.now()

    def undo(tx: Tx) -> None:
        known, user = contacts.by_number(tx, 4532200099), accounts.by_handle(tx, "lea")
        assert user is not None
        mark_undo.undo(tx, None, known, kind, "mistake", user, campaigns, now)

    system.write(undo)
    assert against(system, "32200099") == set()


async def test_an_opt_out_without_a_number_says_where_the_person_is_found(
    system: StaffedSystem,
) -> None:
    body = {"kind": "opt_out", "source": "letter", "number": "", "language": "da", "words": ""}
    reply = await (await system.client("mads")).api("POST", "/cases", body)
    assert reply.status_code == 409
    assert "siden »Person«" in reply.json()["detail"]
    code, said = await asyncio.to_thread(run, "cases", "open", "opt_out", "--by", "mads")
    assert code != 0
    assert "suppress add --contact" in said


@pytest.mark.parametrize("remembered", [True, False])
async def test_pages_show_who_is_on_the_list_of_a_removed_campaign(
    system: StaffedSystem, *, remembered: bool
) -> None:
    """They may stand on the next list. A server that was started since may not know the campaign."""
    rules = system.server.ctx.rules
    title = rules.campaign("kanvas").title.da if remembered else "kanvas"
    rest = {name: kept for name, kept in rules.current.campaigns.items() if name != "kanvas"}
    rules.replace(replace(rules.current, campaigns=rest))
    if not remembered:
        rules.former.clear()
    system.add_user("nora", Role.SUPERVISOR, "nord")
    system.add_user("sven", Role.SUPERVISOR, "syd")
    for handle, sees in (("mads", True), ("nora", remembered), ("sven", False)):
        client = await system.client(handle)
        found = (await client.api("POST", "/suppressions/search", {"number": PRESENT})).json()
        assert ([row["title"]["da"] for row in found["known"]], found["others"]) == (
            ([title], 0) if sees else ([], 1)
        )
        people = (await client.api("POST", "/who-called", {"number": FORMER})).json()["people"]
        assert [person["campaign"]["da"] for person in people] == ([title] if sees else [])
        opened = await client.api("POST", "/person", {"contact": 1, "why": "asked"})
        assert opened.status_code == (200 if sees else 404)


@pytest.mark.parametrize(
    "fact", ["consent_revoked", "deceased", "guardian", "vulnerable", "erased"]
)
async def test_a_fact_reaches_who_was_taken_off_every_list(
    system: StaffedSystem, fact: str
) -> None:
    """No contact can be chosen. Another list brings Anna with a new number and from another address."""
    now = system.clock.now()
    system.write(lambda tx: removal.remove(tx, 1, "by mistake", "user:1", now))
    await post(system, "/person/facts", number=PRESENT, fact=fact)
    take(system, "K1;Anna Holm;32200055;Sti 9;1980-01-01;gade\n")
    assert against(system, "32200055")


async def test_who_was_taken_off_every_list_is_erased_by_the_number(system: StaffedSystem) -> None:
    now = system.clock.now()
    system.write(lambda tx: removal.remove(tx, 1, "by mistake", "user:1", now))
    await post(system, "/person/facts", number=FORMER, fact="erased")
    assert {(row.number, row.name) for row in system.rows(select(former_identifiers))} == {
        (NOBODY, "")
    }


async def test_a_row_about_another_reaches_nobody_who_had_the_number(system: StaffedSystem) -> None:
    """Bo has Anna's former number, and a file takes back the consent of somebody whom nobody knows."""
    take(system, f"K2;Bo Berg;{FORMER};Sti 3;1980-01-01;gade\n")
    rows = f"telefon;navn;dato;samtykke\n{FORMER};Ib Dam;01-11-2026;nej\n"
    system.write(
        lambda tx: consent_files.take(
            lambda: nullcontext(tx), rows.encode(), "user:1", system.clock.now()
        )
    )
    assert "SUP_CONSENT_REVOKED" not in against(system, PRESENT)
