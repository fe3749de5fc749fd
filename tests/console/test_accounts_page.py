"""Accounts through the people's door: what an administrator may do with them, and what nobody may."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callserver.database import accounts
from callserver.database.tables import lines
from callserver.domain.role import Role
from callserver.engine import user_lines
from tests.harness.staffed import Client, StaffedSystem


def account(**more: Any) -> dict[str, Any]:
    base = {"name": "Maja Prøve", "role": "phoner", "department": "nord"}
    return {**base, **more}


def key_of(system: StaffedSystem, handle: str) -> int:
    account = system.read(lambda tx: accounts.by_handle(tx, handle))
    assert account is not None
    number: int = account.id
    return number


async def change(
    system: StaffedSystem, client: Client, handle: str, **more: Any
) -> tuple[int, str]:
    user = system.read(lambda tx: accounts.by_handle(tx, handle))
    names = ("name", "role", "department", "line", "mentor")
    body = {**{name: getattr(user, name) for name in names}, **more}
    reply = await client.api("POST", f"/accounts/{user.id}", body)
    return reply.status_code, reply.json().get("detail", "")


async def test_somebody_starts(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    given = account(line="+4528123456", mentor=key_of(system, "phoner"))
    made = (await client.api("POST", "/accounts", {**given, "handle": "maja"})).json()
    assert key_of(system, "maja") == made["id"]
    newcomer = Client(system)
    signed_in = await newcomer.enter("maja", made["secret"])
    assert signed_in["next"] == "password"  # it was for this once
    own = await newcomer.api("POST", "/sign-in/password", {"new": "a blue bicycle in the sun"})
    assert own.json()["next"] == "ready"
    assert (await newcomer.api("GET", "/seat")).status_code == 200
    shown = (await client.api("GET", "/accounts")).json()
    maja = next(account for account in shown["accounts"] if account["handle"] == "maja")
    assert (maja["name"], maja["line"], maja["shift"]) == ("Maja Prøve", "+4528123456", 1)
    assert made["secret"] not in str(shown)
    entry = next(entry for entry in system.entries("user") if entry["did"] == "added")
    assert entry["by"] == f"user:{key_of(system, 'administrator')}"
    assert made["secret"] not in str(system.entries())
    assert "Maja" not in str(system.entries())


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"handle": "phoner"}, 409, "Brugernavnet er optaget. Vælg et andet."),
        (
            {"handle": "Maja P"},
            409,
            "Brugernavnet må kun bestå af små bogstaver, tal, punktum, - og _.",
        ),
        ({"department": "vest"}, 409, "Den afdeling findes ikke."),
        ({"mentor": 999}, 409, "En mentor er en anden phoner i samme afdeling."),
        ({"line": "tlf. 32"}, 403, "Skriv et nummer som +4512345678"),
        ({"shifts": 99}, 422, ""),
        (
            {"role": "leader"},
            403,
            "Projektlederes konti rettes med kommandoer på serveren, ikke her.",
        ),
    ],
)
async def test_what_does_not_fit_is_said(
    system: StaffedSystem, more: dict[str, Any], status: int, said: str
) -> None:
    client = await system.client("administrator")
    reply = await client.api("POST", "/accounts", {**account(), "handle": "maja", **more})
    assert reply.status_code == status
    assert said in reply.json()["detail"]
    assert not system.entries("user") or system.entries("user")[-1]["did"] != "added"


async def test_a_new_password_ends_sessions(system: StaffedSystem) -> None:
    phoner = await system.client("phoner")
    client = await system.client("administrator")
    made = (await client.api("POST", f"/accounts/{key_of(system, 'phoner')}/reset", {})).json()
    assert (await phoner.api("GET", "/me")).status_code == 401
    assert (await Client(system).enter("phoner", made["secret"]))["next"] == "password"


async def test_an_administrator_cannot_sign_in_as_a_supervisor_whom_they_reset(
    system: StaffedSystem,
) -> None:
    await Client(system).sign_in("supervisor")  # has set up an authenticator
    client = await system.client("administrator")
    made = (await client.api("POST", f"/accounts/{key_of(system, 'supervisor')}/reset", {})).json()
    intruder = Client(system)
    reply = await intruder.enter("supervisor", made["secret"])
    assert reply["next"] == "code"
    for method, path in (("GET", "/floor"), ("GET", "/listenings/mine")):
        assert (await intruder.api(method, path)).status_code in (401, 403)


async def test_off_boarding_says_what_will_happen_and_does_it(system: StaffedSystem) -> None:
    await system.on_shift()
    client = await system.client("administrator")
    promised = "UPDATE contacts SET status='call_back', callback_phoner=1 WHERE id <= 3"
    system.write(lambda tx: tx.exec_driver_sql(promised))
    ends = (await client.api("GET", "/accounts/1/leaving")).json()
    assert ends == {"sessions": 0, "tokens": 1, "seat": "paused", "call_backs": 3}
    shown = (await client.api("GET", "/accounts")).json()["accounts"]
    assert next(account for account in shown if account["id"] == 1)["seat"] == "paused"
    assert (await client.api("POST", "/accounts/1/off-board", {})).json() == {"call_backs": 3}
    assert (await client.api("POST", "/accounts/1/off-board", {})).status_code == 404

    await system.pass_time(2)
    assert (await system.api("GET", "/seat"))[0] == 401
    assert [seat.state for seat in system.seats()] == ["off"]
    assert not [leg for leg in system.network.legs.values() if leg.live]


async def test_the_own_telephone_of_who_leaves_is_not_one_of_ours_any_more(
    system: StaffedSystem,
) -> None:
    client, phoner = await system.client("administrator"), key_of(system, "phoner")
    assert (await change(system, client, "phoner", line="+4520304050"))[0] == 200
    assert (await client.api("POST", f"/accounts/{phoner}/off-board", {})).status_code == 200
    assert system.read(lambda tx: accounts.user(tx, phoner)).line is None
    query = select(lines.c.ended_at).where(lines.c.user == phoner)
    assert system.read(lambda tx: tx.execute(query).scalars().all()) == [system.clock.now()]
    assert [entry["shown"] for entry in system.entries("line")] == ["•••••• 50", None]


async def test_nobody_changes_their_own_reach(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    for more in ({"role": "leader"}, {"role": "supervisor"}, {"department": "nord"}):
        status, _ = await change(system, client, "administrator", **more)
        assert status == 403, more
    assert (await change(system, client, "administrator", name="Et Andet Navn"))[0] == 200
    own = key_of(system, "administrator")
    assert (await client.api("POST", f"/accounts/{own}/off-board", {})).status_code == 403
    assert (await client.api("POST", f"/accounts/{own}/reset", {})).status_code == 403


async def test_the_second_person_is_out_of_an_administrators_hand(system: StaffedSystem) -> None:
    """A user who could reset a project leader's password could approve their own looser rules."""
    client = await system.client("administrator")
    leader = key_of(system, "leader")
    said = "Projektlederes konti rettes med kommandoer på serveren, ikke her."
    for path, body in (
        (f"/accounts/{leader}/reset", {}),
        (f"/accounts/{leader}/off-board", {}),
        (f"/accounts/{leader}/tokens", {"name": "x"}),
    ):
        reply = await client.api("POST", path, body)
        assert (reply.status_code, reply.json()["detail"]) == (403, said)
    assert await change(system, client, "leader", name="x") == (403, said)
    assert await change(system, client, "leader", role="administrator") == (403, said)
    assert await change(system, client, "supervisor", role="leader") == (403, said)
    assert system.read(lambda tx: accounts.user(tx, leader)).role == "leader"


async def test_the_house_keeps_an_administrator(system: StaffedSystem) -> None:
    system.add_user("second", Role.ADMINISTRATOR, None)
    system.add_user("nordadmin", Role.ADMINISTRATOR, "nord")
    second = await system.client("second")
    first = key_of(system, "administrator")
    assert (await change(system, second, "administrator", role="supervisor"))[0] == 200
    assert (await change(system, second, "supervisor", role="administrator"))[0] == 200
    given = key_of(system, "supervisor")
    system.write(  # a second person has confirmed the new role
        lambda tx: accounts.change(tx, given, role_given_by=None)
    )
    other = await system.client("supervisor")  # of one department: no reach to the whole one
    assert (
        await other.api("POST", f"/accounts/{key_of(system, 'second')}/off-board", {})
    ).status_code == 404
    assert (await second.api("POST", f"/accounts/{first}/off-board", {})).status_code == 200
    # `second` is the last with reach to the whole organisation: nobody else may end the account.
    system.add_user("third", Role.ADMINISTRATOR, None)
    third = await system.client("third")
    assert (
        await third.api("POST", f"/accounts/{key_of(system, 'second')}/off-board", {})
    ).status_code == 200
    system.add_user("fourth", Role.ADMINISTRATOR, None)
    fourth = await system.client("fourth")
    gone = system.read(lambda tx: accounts.by_handle(tx, "third")).id
    assert (await fourth.api("POST", f"/accounts/{gone}/off-board", {})).status_code == 200
    assert (await change(system, fourth, "nordadmin", role="supervisor"))[0] == 200


def test_the_last_administrator_stays(system: StaffedSystem) -> None:
    """Two who end each other at the same moment: the second one is the last."""
    from callserver.engine.accounts.administration import off_board
    from callserver.errors import Impossible

    user = system.read(lambda tx: accounts.by_handle(tx, "administrator"))
    with pytest.raises(Impossible, match="last"):
        system.write(lambda tx: off_board(tx, user, system.clock.now(), "test"))


async def test_a_role_is_not_changed_on_shift(system: StaffedSystem) -> None:
    await system.on_shift()
    client = await system.client("administrator")
    assert (await change(system, client, "p1", role="supervisor"))[0] == 409
    assert (await change(system, client, "p1", department="syd"))[0] == 409
    assert (await change(system, client, "p1", name="Nyt Navn"))[0] == 200


async def test_a_department_keeps_its_own_people(system: StaffedSystem) -> None:
    system.add_user("nordadmin", Role.ADMINISTRATOR, "nord")
    system.add_user("syd1", Role.PHONER, "syd")
    client = await system.client("nordadmin")
    shown = (await client.api("GET", "/accounts")).json()
    assert {account["department"] for account in shown["accounts"]} == {"nord"}
    assert list(shown["departments"]) == ["nord"]
    assert (
        await client.api("POST", f"/accounts/{key_of(system, 'syd1')}/off-board", {})
    ).status_code == 404
    assert (
        await client.api("GET", f"/accounts/{key_of(system, 'syd1')}/leaving")
    ).status_code == 404
    for department in ("syd", None):
        body = {**account(department=department), "handle": "new"}
        assert (await client.api("POST", "/accounts", body)).status_code == 403
    assert (await change(system, client, "phoner", department="syd"))[0] == 403
    assert (await change(system, client, "phoner", name="Nyt"))[0] == 200


async def test_tokens_for_machines(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    user = key_of(system, "phoner")
    address = f"/accounts/{user}/tokens"
    beyond = await client.api("POST", address, {"name": "bot", "scopes": ["export"]})
    assert beyond.status_code == 409
    not_hers = await client.api("POST", address, {"name": "bot", "scopes": ["phone"]})
    assert not_hers.status_code == 403  # an administrator is no phoner
    made = (
        await client.api("POST", address, {"name": "bot", "scopes": ["correct"], "days": 1})
    ).json()
    header = {"authorization": f"Bearer {made['secret']}"}
    assert (await Client(system).api("GET", "/me", **header)).status_code == 200
    listed = (await client.api("GET", "/accounts")).json()["tokens"]
    assert [token["name"] for token in listed if token["user"] == user] == ["bot"]
    assert made["secret"] not in str(listed)
    assert (await client.api("POST", f"/tokens/{made['id']}/drop", {})).status_code == 200
    assert (await Client(system).api("GET", "/me", **header)).status_code == 401
    assert (await client.api("POST", f"/tokens/{made['id']}/drop", {})).status_code == 404
    assert [entry["did"] for entry in system.entries("token")] == ["added", "dropped"]


NO_LINES = [
    "+4532200003",  # on a list
    "+4532123400",  # shown as ours
    "+4590123456",  # costs more
    "+4520304050",  # has opted out
    "+46701234567",  # abroad
    "+881612345678",
    "112",
    "28123456",  # not as it is dialed
    "client:phoner_99",
    "client:listener_99",
    "sip:telephone_99",
    "sip:phoner_99@phones.example.org",  # a name of the exchange
    "sip:maja@example.org",  # at a host that is not allowed
    "sip:114@phones.example.org",
    "sip:4640111213@phones.example.org",
    "sip:+4640111213@phones.example.org",
    "sip:a4640111213@phones.example.org",
    "sip:maja@phones.example.org;user=phone",
    "sip:maja@phones.example.org.evil.example",
]


@pytest.mark.parametrize("line", NO_LINES)
async def test_a_line_is_nobodys_who_could_be_called(tmp_path: Path, line: str) -> None:
    system = StaffedSystem(tmp_path, sip_hosts="phones.example.org")
    system.add_user("phoner", Role.PHONER)
    system.add_user("administrator", Role.ADMINISTRATOR, None)
    client = await system.client("administrator")
    no = {"number": "20304050", "scope": "number", "received_by": "letter"}
    await client.api("POST", "/suppressions", no)
    assert (await change(system, client, "phoner", line=line))[0] == 403
    reply = await client.api("POST", "/accounts", {**account(line=line), "handle": "maja"})
    assert reply.status_code == 403
    assert system.read(lambda tx: accounts.by_handle(tx, "maja")) is None
    assert (await change(system, client, "phoner", line="+4520304051"))[0] == 200
    assert (await change(system, client, "phoner", line="sip:maja@phones.example.org"))[0] == 200
    system.close()


async def test_lines_are_entered_by_an_administrator_a_few_times_a_day(
    system: StaffedSystem,
) -> None:
    client, phoner = await system.client("administrator"), key_of(system, "phoner")
    for number in range(3):
        assert (await change(system, client, "phoner", line=f"+452030405{number}"))[0] == 200
    status, said = await change(system, client, "phoner", line="+4520304059")
    assert (status, said) == (
        409,
        "En medarbejder kan højst få tre nye telefoner på et døgn. Prøv igen i morgen.",
    )
    entered = [entry for entry in system.entries("line") if entry["did"] == "entered"]
    by = f"user:{key_of(system, 'administrator')}"
    assert [(entry["user"], entry["by"], entry["shown"]) for entry in entered] == [
        (phoner, by, f"•••••• 5{number}") for number in range(3)
    ]
    assert len({entry["line"] for entry in entered}) == 3
    assert "20304050" not in str(system.entries())
    terms, tomorrow = system.server.ctx.terms, system.clock.now() + timedelta(hours=24)
    system.write(lambda tx: user_lines.enter(tx, terms, phoner, "+4520304059", tomorrow, "test"))
