"""Whichever way an opt-out reaches us: durable, logged, and a telephone that rings is silenced."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import typer
from sqlalchemy import insert, select
from typer.testing import CliRunner

from callserver.cli import contacts as list_commands
from callserver.cli import person, suppress
from callserver.database import accounts
from callserver.database.tables import calls, suppressions
from callserver.domain import subject
from callserver.domain.role import Role
from callserver.engine.accounts.authentication import hash_of
from callserver.engine.audit_log.judge import judge
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import ROOT
from tests.harness.staffed import Client, StaffedSystem
from tests.journeys.test_judge import exported

ANNA = "32200000"
NUMBER = 4532200000
OTHER = 4532200077  # another telephone of Anna's
PEOPLE = f"ref;navn;telefon;kilde\nK0;Anna Prøve;{ANNA};gade\n"
INBOUND = "http://calls.test/twilio/voice/inbound"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, people=PEOPLE)
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    made.add_user("alma", Role.ADMINISTRATOR, None)
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{tmp_path}/system.db")
    monkeypatch.setenv("CALLSERVER_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("CALLSERVER_KEY", "test")
    monkeypatch.setenv("CALLSERVER_CLOCK", made.clock.now().isoformat())
    yield made
    made.close()


def ring(system: StaffedSystem, number: int = NUMBER) -> None:
    """An open call to Anna that nobody has answered, as another process has placed it."""
    [anna] = system.contacts()
    now: datetime = system.clock.now()
    system.write(
        lambda tx: tx.execute(
            insert(calls).values(
                attempt="another",
                campaign="kanvas",
                path="list",
                number=number,
                person=anna.person,
                household=anna.household if number == NUMBER else 1,
                seat=99,
                phoner=99,
                caller_id="+4532123400",
                room="r",
                revision="r",
                permit_at=now,
                state="ringing",
            )
        )
    )


async def send(system: StaffedSystem, address: str, content: str) -> None:
    """A file as the page sends it."""
    client = await system.client("alma")

    reply = await client.upload(address, content.encode())
    assert reply.status_code == 200, reply.text
    last = json.loads(reply.text.splitlines()[-1])
    if address == "/uploads":
        how = {"upload": last["upload"]}
        reply = await client.api("POST", "/lists/leads/import", how)
        assert json.loads(reply.text.splitlines()[-1])["counts"]["opted_out"] == 1, reply.text


async def command(*words: str) -> None:
    app = typer.Typer()
    suppress.register(app)
    list_commands.register(app)
    person.register(app)
    result = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert result.exit_code == 0, (result.output, result.exception)


async def by_page(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    body = {"number": ANNA, "scope": "number", "received_by": "letter"}
    assert (
        await (await system.client("mads")).api("POST", "/suppressions", body)
    ).status_code == 200


async def by_token(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    now = system.clock.now()
    mads = system.read(lambda tx: accounts.by_handle(tx, "mads"))
    system.write(lambda tx: accounts.add_token(tx, hash_of("a token"), mads.id, "crm", now))

    reply = await Client(system).api(
        "POST",
        "/suppressions",
        {"number": ANNA, "scope": "person", "received_by": "email"},
        authorization="Bearer a token",
    )
    assert reply.status_code == 200


async def by_who_called(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    body = {"number": ANNA, "reach": "never"}
    assert (
        await (await system.client("mads")).api("POST", "/who-called/opt-out", body)
    ).status_code == 200


async def by_erasure(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    body = {"number": ANNA, "fact": "erased"}
    assert (
        await (await system.client("mads")).api("POST", "/person/facts", body)
    ).status_code == 200


async def by_command(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    await command("suppress", "add", ANNA, "--scope", "household")


async def by_command_about_a_contact(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    await command("suppress", "add", "--contact", "1", "--scope", "complaint")


async def by_commanded_list(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    (folder / "no.csv").write_text(f"telefon\n{ANNA}\n")
    await command("suppress", "import", str(folder / "no.csv"))


async def by_list_page(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    await send(system, "/suppressions/import?name=letters", f"telefon\n{ANNA}\n")


async def by_column_on_the_page(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    await send(
        system, "/uploads", f"ref;navn;telefon;kilde;Ring ikke\nK0;Anna Prøve;{ANNA};gade;ja\n"
    )


async def by_column_of_a_command(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    file = folder / "list.csv"
    file.write_text(f"ref;navn;telefon;kilde;Ring ikke\nK0;Anna Prøve;{ANNA};gade;ja\n")
    await command("import", "leads", str(file))


async def by_inbound_key(system: StaffedSystem, folder: Path) -> None:
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(60)
    ring(system, OTHER)
    system.people.keys[f"+{NUMBER}"] = "9"
    await system.network.call_in(f"+{NUMBER}", "+4532123400", INBOUND)
    await system.pass_time(40)


async def by_inbound_key_of_a_stranger(system: StaffedSystem, folder: Path) -> None:
    ring(system)
    system.people.keys[f"+{NUMBER}"] = "9"
    await system.network.call_in(f"+{NUMBER}", "+4532123400", INBOUND)
    await system.pass_time(40)


async def by_wish_in_a_call(system: StaffedSystem, folder: Path) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    ring(system, OTHER)
    attempt = (await system.seat())["call"]["attempt"]
    status, _ = await system.api("POST", "/wish", {"wish": "never", "attempt": attempt})
    assert status == 200


async def by_outcome(system: StaffedSystem, folder: Path) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    ring(system, OTHER)
    assert (await system.outcome("never"))[0] == 200


WAYS = [
    by_page,
    by_token,
    by_who_called,
    by_erasure,
    by_command,
    by_command_about_a_contact,
    by_commanded_list,
    by_list_page,
    by_column_on_the_page,
    by_column_of_a_command,
    by_inbound_key,
    by_inbound_key_of_a_stranger,
    by_wish_in_a_call,
    by_outcome,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_an_opt_out_is_durable_logged_and_silences(
    system: StaffedSystem, tmp_path: Path, way: Callable[[StaffedSystem, Path], Awaitable[None]]
) -> None:
    [anna] = system.contacts()
    await way(system, tmp_path)
    rows = system.read(lambda tx: tx.execute(select(suppressions)).all())
    about = {
        subject.of_number(NUMBER),
        subject.of_hash(NUMBER, system.server.ctx.secret),
        subject.of_person(anna.person),
        subject.of_household(anna.household),
    }
    # A column also protects Anna under the key of a list without references.
    assert {row.subject for row in rows} & about
    [stopped] = system.read(
        lambda tx: (
            tx.execute(select(calls.c.stop_wanted).where(calls.c.attempt == "another"))
            .scalars()
            .all()
        )
    )
    assert stopped == "suppressed"
    entries = system.entries("suppressed")
    assert {row.by for row in rows} == {entry["by"] for entry in entries}
    assert sum(entry.get("count", 1) for entry in entries) == len(rows)
    listed = {row.list for row in rows} != {None}
    groups = {row.opt_out for row in rows}
    assert groups == {None} if listed else len(groups) == 1 and None not in groups


@pytest.mark.parametrize(
    ("said", "asked"),
    [("GIFT", "RECRUIT+GIFT"), ("RECRUIT+GIFT", "GIFT"), ("RECRUIT", "RECRUIT+GIFT")],
)
async def test_not_about_this_holds_for_a_campaign_that_asks_for_more(
    tmp_path: Path, said: str, asked: str
) -> None:
    """A member who wants no calls about gifts is not called about membership and gifts either."""
    config = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    members = config / "campaigns" / "opgradering.yaml"
    members.write_text(members.read_text().replace("purpose: UPGRADE", f"purpose: {asked}"))
    people = "ref;navn;telefon;medlem;beløb;kilde\nK0;Person Prøve;32200000;ja;100;gade\n"
    system = StaffedSystem(tmp_path, config=config, people=people, campaign="opgradering")
    await system.server.rules_in_force.start()
    system.add_user("mads", Role.MEMBER_SERVICE, None)
    no = {"number": f"+45{ANNA}", "scope": "org", "purpose": said, "received_by": "letter"}
    reply = await (await system.client("mads")).api("POST", "/suppressions", no)
    assert reply.status_code == 200, reply.text
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert not system.rang()
    assert system.entries("refused")[-1]["reasons"] == ["SUP_PURPOSE"]
    await system.pass_time(10)  # until it is sealed
    assert judge(exported(system, tmp_path / "export")).findings == []
    system.close()
