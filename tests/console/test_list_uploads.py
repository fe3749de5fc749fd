"""Uploaded files: whose they are, how long they stay, and what cannot be read leaves nothing."""

from datetime import timedelta

import pytest

from callserver.domain.role import Role
from tests.harness import spreadsheets
from tests.harness.staffed import StaffedSystem
from tests.harness.uploads import BAD, FILE, GOOD, HEAD, folder, lines, sent


async def test_a_row_in_another_encoding_is_shown_as_refused(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    content = "navn;tlf\nBjørn;32205001\n".encode() + b"Bj\xf8rn;32205002\nAnna;32205003\n"
    seen = (await client.api("POST", "/lists/kanvas/preview", await sent(client, content))).json()
    assert [row["reason"] for row in seen["rows"]] == [None, "encoding", None]
    assert seen["columns"][0]["samples"] == ["Bjørn", "Bj\ufffdrn", "Anna"]


@pytest.mark.parametrize(
    ("content", "campaign", "problem"),
    [
        (b"a;a\n1;2\n", "kanvas", "lists.same_names"),
        (b"navn;mobil\nA;32205001\n", "afmeldte", "lists.no_order"),
        (b'"a;b\n', "kanvas", "wrong.header_quotes"),
    ],
)
async def test_a_file_that_is_no_list_says_so(
    system: StaffedSystem, content: bytes, campaign: str, problem: str
) -> None:
    client = await system.client("administrator")
    body = await sent(client, content)
    seen = (await client.api("POST", f"/lists/{campaign}/preview", body)).json()
    assert seen["problem"] == problem
    failed = lines(await client.api("POST", f"/lists/{campaign}/import", body))[-1]
    assert set(failed) == {"detail"}
    assert system.entries("imported")[1:] == []


async def test_a_file_is_its_senders_and_goes_after_a_day(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    body = await sent(client)
    system.add_user("other", Role.ADMINISTRATOR, None)
    other = await system.client("other")
    assert (await other.api("POST", "/lists/kanvas/preview", body)).status_code == 404
    for token in ("../../etc/passwd", "*" * 32, "a" * 32):
        assert (
            await client.api("POST", "/lists/kanvas/preview", {"upload": token})
        ).status_code == 404
    system.clock.set(system.clock.now() + timedelta(days=2))
    await system.server.scheduler.tick()
    assert folder(system) == []


async def test_a_file_that_is_too_large_leaves_nothing(system: StaffedSystem) -> None:
    from dataclasses import replace

    from callserver.app import create

    system.server = replace(
        system.server, settings=system.server.settings.model_copy(update={"most_upload_mb": 1})
    )
    system.app = create(system.server, ticking=False)
    client = await system.client("administrator")
    reply = await client.upload("/uploads", b"x" * (1024 * 1024 + 1))
    assert (reply.status_code, reply.json()["detail"]) == (
        413,
        "Filen er for stor. Den må højst fylde 1 MB.",
    )
    assert (await client.upload("/uploads", b"")).status_code == 409
    assert folder(system) == []
    assert (await client.upload("/uploads", FILE)).status_code == 200


async def test_a_spreadsheet_is_a_list_like_any_other(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    rows = [line.split(";") for line in (HEAD + GOOD + BAD).splitlines()]
    body = await sent(client, spreadsheets.xlsx({"Ark1": rows}))
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert [column["field"] for column in seen["columns"]] == ["ref", "name", "phone", "born", None]
    done = lines(await client.api("POST", "/lists/kanvas/import", body))[-1]
    assert (done["counts"]["taken"], done["counts"]["refused"]) == (30, 2)
    assert done["refused"][0]["line"] == 32  # the sheet's own row


async def test_a_damaged_spreadsheet_leaves_nothing_behind(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    reply = await client.upload(
        "/uploads", spreadsheets.xlsx({"Ark1": [["Mobil"], ["32205001"]]})[:-100]
    )
    assert reply.status_code == 409
    assert "Regnearket er beskadiget" in reply.json()["detail"]
    assert folder(system) == []


async def test_a_sheet_whose_name_says_no_is_refused(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    content = spreadsheets.xlsx({"Ring ikke": [["Mobil"], ["32205001"]]})
    reply = await client.upload("/uploads", content)
    assert reply.status_code == 409
    assert "Arket hedder 'Ring ikke'" in reply.json()["detail"]
    assert folder(system) == []


async def test_a_spreadsheet_with_a_cell_far_out_is_refused(system: StaffedSystem) -> None:
    """Two cells of a file of a kilobyte span a sheet of hundreds of gigabytes."""
    client = await system.client("administrator")
    reply = await client.upload("/uploads", spreadsheets.far_cell(1_048_576, "XFD"))
    assert reply.status_code == 409
    assert "for meget hukommelse" in reply.json()["detail"]
    assert folder(system) == []
