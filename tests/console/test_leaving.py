"""The checklist of a person who leaves: their own signature, what is ticked and checked, its receipt."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.config_folder import load
from callserver.database import accounts, leavings
from callserver.database.leavings import Leaving
from callserver.database.store import AnyStore
from callserver.domain.retention import RetentionClass
from callserver.domain.role import Role
from callserver.engine import retention
from callserver.engine.accounts import leaving
from callserver.errors import ConfigurationProblem, Impossible
from callserver.ports import Tx
from tests.harness.retention import drop_some
from tests.harness.staffed import Client, StaffedSystem

ITEMS = ("keys", "material", "equipment")
ROOT = Path(__file__).parents[2]


async def left(
    system: StaffedSystem, handle: str = "phoner", client: Client | None = None
) -> tuple[Client, str]:
    """The administrator, and the address of the checklist of somebody whose access has ended."""
    client = client or await system.client("administrator")
    user = system.read(lambda tx: accounts.by_handle(tx, handle))
    assert user is not None
    assert (await client.api("POST", f"/accounts/{user.id}/off-board", {})).status_code == 200
    return client, f"/accounts/{user.id}/checklist"


async def shown(client: Client, address: str) -> Any:
    return (await client.api("GET", address)).json()


async def status(client: Client, address: str, **body: Any) -> int:
    return (await client.api("POST", address, body)).status_code


async def fill(system: StaffedSystem, client: Client, address: str) -> None:
    for key in ITEMS:
        assert await status(client, f"{address}/item", item=key, done=True) == 200
    today = system.clock.now().date().isoformat()
    assert await status(client, f"{address}/letter", sent_on=today) == 200


async def test_they_sign_the_reminder_themselves_before_they_leave(system: StaffedSystem) -> None:
    phoner, client = await system.client("phoner"), await system.client("administrator")
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    assert user is not None
    address = f"/accounts/{user.id}/checklist"
    assert (await shown(phoner, "/training"))["leaving"] is None
    document = await shown(phoner, "/training/documents/confidentiality")
    version = {"version": document["version"]}
    assert await status(phoner, "/leaving/signature", **version) == 409  # nobody knows of it
    assert await status(client, f"{address}/announcement", leaves=True) == 200
    assert await status(client, f"{address}/announcement", leaves=True) == 409
    reminder = (await shown(phoner, "/training"))["leaving"]
    assert reminder == {**version, "signed_at": None}
    assert await status(client, "/leaving/signature", **version) == 409  # not for somebody else
    assert await status(client, f"{address}/letter", sent_on="2026-03-03") == 409  # still here
    assert await status(client, f"{address}/complete") == 409
    assert await status(phoner, "/leaving/signature", version="another") == 409
    assert await status(phoner, "/leaving/signature", **version) == 200
    assert await status(phoner, "/leaving/signature", **version) == 409
    assert (await shown(phoner, "/training"))["leaving"]["signed_at"]

    for key in ITEMS:
        assert await status(client, f"{address}/item", item=key, done=True) == 200
    assert (await client.api("POST", f"/accounts/{user.id}/off-board", {})).status_code == 200
    assert (await phoner.api("GET", "/training")).status_code == 401
    assert await status(client, f"{address}/letter", sent_on="2026-03-03") == 409  # is signed
    assert await status(client, f"{address}/complete") == 200
    receipt = await shown(client, address)
    assert (receipt["signed_at"] is not None, receipt["letter_on"]) == (True, None)
    assert receipt["version"] == document["version"]
    signed = [entry for entry in system.entries("user") if entry["did"] == "leaving_signed"]
    assert [entry["by"] for entry in signed] == [f"user:{user.id}"]


async def test_somebody_who_stays_has_no_checklist(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    assert user is not None
    address = f"/accounts/{user.id}/checklist"
    assert await status(client, f"{address}/announcement", leaves=False) == 409
    assert await status(client, f"{address}/announcement", leaves=True) == 200
    assert await status(client, f"{address}/item", item="keys", done=True) == 200
    assert await status(client, f"{address}/announcement", leaves=False) == 200
    assert (await shown(client, address))["state"] == "present"
    assert await status(client, f"{address}/announcement", leaves=True) == 200
    assert {item["at"] for item in (await shown(client, address))["items"]} == {None}


async def test_a_receipt_is_kept_for_its_period(system: StaffedSystem) -> None:
    client, address = await left(system)
    await fill(system, client, address)
    assert await status(client, f"{address}/complete") == 200
    policy = system.server.ctx.rules.current.organisation.retention
    days = timedelta(days=policy.leavings.days + 1)
    later = system.clock.now() + days

    def drop(tx: Tx) -> None:
        drop_some(tx, policy, RetentionClass.LEAVINGS, later, "scheduler")

    system.write(drop)
    kept = await shown(client, address)
    assert (kept["state"], kept["items"], kept["completed_by"]) == ("complete", [], None)
    assert kept["letter_on"] is None
    assert system.entries("retention")[-1]["what"] == "leavings"
    assert system.read(lambda tx: retention.due(tx, policy, later))[RetentionClass.LEAVINGS] == 0


async def test_it_is_complete_when_nothing_is_open(system: StaffedSystem) -> None:
    client, address = await left(system)
    before = await shown(client, address)
    assert (before["state"], before["signed_at"], before["letter_on"]) == ("left", None, None)
    assert [item["at"] for item in before["items"]] == [None, None, None]
    assert set(before["checks"].values()) == {True}
    refused = await client.api("POST", f"{address}/complete", {})
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "Tjeklisten kan ikke afsluttes: Der er punkter, som mangler.",
    )
    await fill(system, client, address)
    assert await status(client, f"{address}/item", item="keys", done=False) == 200
    assert await status(client, f"{address}/complete") == 409
    assert await status(client, f"{address}/item", item="keys", done=True) == 200
    assert await status(client, f"{address}/complete") == 200

    receipt = await shown(client, address)
    assert receipt["state"] == "complete"
    assert receipt["completed_by"] == receipt["letter_by"] == receipt["items"][0]["by"]
    assert receipt["version"]
    assert await status(client, f"{address}/complete") == 409
    assert await status(client, f"{address}/item", item="keys", done=False) == 409
    listed = (await client.api("GET", "/accounts")).json()["accounts"]
    assert [account["handle"] for account in listed if account["leaving"] == "complete"] == [
        "phoner"
    ]
    did = [entry["did"] for entry in system.entries("user")]
    assert did[-2:] == ["leaving_ticked", "leaving_completed"]
    assert {"leaving_unticked", "leaving_letter"} < set(did)
    assert receipt["name"] not in str(system.entries("user"))


async def test_an_unanswered_message_keeps_it_open(system: StaffedSystem) -> None:
    phoner = await system.client("phoner")
    assert await status(phoner, "/support/messages", words="Kan vi tale sammen?") == 200
    supervisor = await system.client("supervisor")
    client, address = await left(system)
    await fill(system, client, address)
    assert (await shown(client, address))["checks"]["support"] is False
    assert await status(client, f"{address}/complete") == 409
    assert await status(supervisor, "/support/messages/1/answer", words="Ja") == 200
    assert await status(client, f"{address}/complete") == 200


async def test_a_seat_that_is_still_open_keeps_it_open(system: StaffedSystem) -> None:
    await system.on_shift()
    client, address = await left(system, "p1")
    await fill(system, client, address)
    assert (await system.api("GET", "/seat"))[0] == 401  # access has ended, whatever the checklist
    assert (await shown(client, address))["checks"]["seat"] is False
    assert await status(client, f"{address}/complete") == 409
    await system.pass_time(2)
    assert await status(client, f"{address}/complete") == 200


@pytest.mark.parametrize("sent_on", ["2099-01-01", "1990-01-01"])
async def test_the_day_of_a_letter_fits(system: StaffedSystem, sent_on: str) -> None:
    made = {"name": "Maja Prøve", "role": "phoner", "department": "nord", "handle": "maja"}
    administrator = await system.client("administrator")
    assert await status(administrator, "/accounts", **made) == 200
    client, address = await left(system, "maja", administrator)
    assert await status(client, f"{address}/letter", sent_on=sent_on) == 409
    assert (await shown(client, address))["letter_on"] is None


async def test_only_within_reach_and_after_it_is_known(system: StaffedSystem) -> None:
    system.add_user("sydadmin", Role.ADMINISTRATOR, "syd")
    administrator = await system.client("administrator")
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    assert user is not None
    present = f"/accounts/{user.id}/checklist"
    assert (await shown(administrator, present))["state"] == "present"
    assert await status(administrator, f"{present}/item", item="keys", done=True) == 409
    assert await status(administrator, f"{present}/complete") == 409
    client, address = await left(system, client=administrator)
    assert await status(client, f"{address}/item", item="none", done=True) == 404
    other = await system.client("sydadmin")
    assert (await other.api("GET", address)).status_code == 404
    assert await status(other, f"{address}/item", item="keys", done=True) == 404
    assert await status(other, f"{address}/announcement", leaves=True) == 404
    supervisor = await system.client("supervisor")
    assert (await supervisor.api("GET", address)).status_code == 403


def test_each_open_sign_in_is_checked(store: AnyStore) -> None:
    """On both databases: what off-boarding has ended is looked for once more."""
    rules, now = load(ROOT / "config"), datetime(2026, 5, 13, 12, tzinfo=UTC)
    with store.engine.begin() as tx:
        user = accounts.add(tx, handle="maja", name="Maja", role="phoner", left_at=now)
        for item in ITEMS:
            leaving.set_item(tx, rules, user, item, now, "test", done=True)
        leaving.record_letter(tx, user, date(2026, 5, 12), now, "test")
        accounts.open_session(tx, "hash", user, now)
        accounts.add_token(tx, "token", user, "bot", now)
        with pytest.raises(Impossible, match="not done yet: sessions, tokens"):
            leaving.complete(tx, rules, user, now, "test")
        accounts.drop_access(tx, user)
        leaving.complete(tx, rules, user, now, "test")
        with pytest.raises(Impossible, match="complete"):
            leaving.set_item(tx, rules, user, "keys", now, "test", done=False)
        assert leavings.get(tx, user).letter_on == "2026-05-12"
        assert leavings.forget(tx, [user]) == 1
        assert leavings.get(tx, user) == Leaving(completed_at=now)
        other = accounts.add(tx, handle="bo", name="Bo", role="phoner")
        leaving.announce(tx, other, now, "test")
        leaving.sign(tx, rules, other, rules.documents["confidentiality"], now)
        assert leavings.get(tx, other).signed_at == now
        leaving.withdraw(tx, other, now, "test")
        assert leavings.get(tx, other) == Leaving()


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("  - {key: keys, title: {da: a, en: b}}\n" * 2, "used twice"),
        ("  - {key: keys, title: {da: a}}\n", "en"),
        ("  - {key: Keys, title: {da: a, en: b}}\n", "key"),
        ("  - {key: keys, title: {da: a, en: b}, ticked: true}\n", "ticked"),
    ],
)
def test_the_configuration_is_strict(tmp_path: Path, block: str, why: str) -> None:
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    house = folder / "house.yaml"
    text = house.read_text("utf-8")
    begin, end = text.index("leaving:\n"), text.index("\n# How often one user may look")
    house.write_text(text[:begin] + "leaving:\n" + block + text[end:], "utf-8")
    with pytest.raises(ConfigurationProblem, match=rf"house\.yaml(.|\n)*{why}"):
        load(folder)
