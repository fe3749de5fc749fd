"""Columns of an uploaded list: chosen, understood, asked about."""

import pytest

from callserver import texts
from tests.harness.staffed import StaffedSystem
from tests.harness.uploads import lines, sent


async def test_columns_are_chosen_by_hand(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    body = await sent(client, b"id,hvem,nr\n7,Anna,32205001\n8,Anna,32205001\n")
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert seen["problem"] == "lists.no_phone"
    assert seen["columns"][2]["samples"] == ["•••••• 01"] * 2
    body["columns"] = {"nr": "phone", "hvem": "phone"}
    assert (await client.api("POST", "/lists/kanvas/preview", body)).json()[
        "problem"
    ] == "lists.same_field"
    body["columns"] = {"nr": "phone", "hvem": "name"}
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert seen["problem"] is None
    assert seen["rows"][0]["ref"] is None
    done = lines(await client.api("POST", "/lists/kanvas/import", body))[-1]
    assert done["counts"]["duplicates"] == 1


async def test_a_column_that_only_counts_the_rows_is_no_reference(system: StaffedSystem) -> None:
    """Neither as the page shows it, nor when the page sends back what was suggested."""
    client = await system.client("administrator")
    body = await sent(client, b"nr;navn;tlf\n1;Anna;32205001\n2;Bo;32205002\n")
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert seen["row_numbers"] == "nr"
    assert [column["field"] for column in seen["columns"]] == [None, "name", "phone"]
    body["columns"] = {
        column["name"]: column["field"] for column in seen["columns"] if column["field"]
    }
    assert (await client.api("POST", "/lists/kanvas/preview", body)).json()["rows"][0][
        "ref"
    ] is None
    body["columns"]["nr"] = "ref"  # somebody knows better
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["row_numbers"], seen["rows"][0]["ref"]) == ("", "1")


async def test_columns_that_may_say_no_are_named(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    body = await sent(client, b"navn;tlf;Samtykke;By;\nAnna;32205001;x;Skive;\n")
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == ("error.doubtful_columns", ["Samtykke"])
    assert seen["unread"] == ["Samtykke", "By"]  # not the column without a heading
    body["columns"] = {"navn": "name", "tlf": "phone", "Samtykke": "ignore"}
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"], seen["unread"]) == (None, [], ["By"])


@pytest.mark.parametrize(
    ("column", "cell", "problem", "field"),
    [
        ("Rob", "x", "error.doubtful_columns", "do_not_call"),
        ("Nicht anrufen", "ja", "error.doubtful_columns", "do_not_call"),
        ("Hjemsted", "Norge", "error.doubtful_countries", "country"),
    ],
)
async def test_a_column_that_is_not_understood_is_asked_about_by_the_page(
    system: StaffedSystem, column: str, cell: str, problem: str, field: str
) -> None:
    client = await system.client("administrator")
    body = await sent(client, f"navn;tlf;{column}\nAnna;41234567;{cell}\n".encode())
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == (problem, [column])
    assert field in seen["fields"]
    said = texts.say("da", problem, **seen["values"])
    for step in ("dry-run", "import"):
        assert lines(await client.api("POST", f"/lists/kanvas/{step}", body))[-1] == {
            "detail": said
        }
    body["columns"] = {"navn": "name", "tlf": "phone", column: field}
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == (None, [])


async def test_a_cell_that_says_no_is_shown_before_the_import_stops_at_it(
    system: StaffedSystem,
) -> None:
    client = await system.client("administrator")
    rows = "".join(f"Person {n};322050{n:02};aktiv\n" for n in range(30))
    body = await sent(client, f"navn;tlf;Status\n{rows}Anna;32205090;Ring ikke\n".encode())
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == ("error.doubtful_status", ["Status"])
    assert seen["values"] == {"column": "Status", "said": "Ring ikke", "line": "32"}
    said = texts.say("da", seen["problem"], **seen["values"])
    for step in ("dry-run", "import"):  # both stop at the same cell
        assert lines(await client.api("POST", f"/lists/kanvas/{step}", body))[-1] == {
            "detail": said
        }
    body["columns"] = {"navn": "name", "tlf": "phone", "Status": "do_not_call"}
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == (None, [])
    assert all(row["opted_out"] for row in seen["rows"])  # "aktiv" says neither yes nor no
    done = lines(await client.api("POST", "/lists/kanvas/import", body))[-1]
    assert done["counts"]["opted_out"] == done["counts"]["read"] == 31  # in doubt nobody is called
