"""A server or a command without CALLSERVER_KEY, or with another one than that of the database: nobody who was erased would be
recognised, and they might be called."""

from pathlib import Path

import pytest

from callserver.cli.free_ports import free_port
from tests.harness.places import Place

NUMBER = "32200000"
LIST = f"ref;navn;telefon;kilde\n1;A;{NUMBER};x\n"
ANOTHER = "another key, long enough for a test"
NOT_THE_ONE, MISSING = "CALLSERVER_KEY is not the one", "CALLSERVER_KEY is missing"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Somebody was erased here; nobody has been called yet."""
    place = Place(tmp_path / "house")
    place.environment["CALLSERVER_PROVIDER"] = "simulated"
    place.environment["CALLSERVER_API_URL"] = place.environment["TWILIO_API_URL"] = (
        "http://127.0.0.1:9"
    )
    place.ok("person", "erase", NUMBER)
    (tmp_path / "list.csv").write_text(LIST, "utf-8")
    return place


def with_another_key(place: Place) -> None:
    place.environment["CALLSERVER_KEY"] = ANOTHER


def test_without_a_key_no_server_starts(place: Place) -> None:
    place.environment |= {"CALLSERVER_KEY": "", "CALLSERVER_PORT": str(free_port())}
    for command in ("serve", "scheduler"):
        said = place.run(command)
        assert (said.returncode, "CALLSERVER_KEY must be set" in said.stderr) == (2, True), said


@pytest.mark.parametrize("command", ["serve", "scheduler"])
def test_with_another_key_no_server_starts(place: Place, command: str) -> None:
    place.environment["CALLSERVER_PORT"] = str(free_port())
    with_another_key(place)
    said = place.run(command)
    assert (said.returncode, NOT_THE_ONE in said.stderr) == (2, True), said


@pytest.mark.parametrize(("key", "sentence"), [(ANOTHER, NOT_THE_ONE), ("", MISSING)])
@pytest.mark.parametrize(
    "words",
    [
        ("import", "kanvas", "LIST"),
        ("explain", NUMBER),
        ("person", "erase", "32200001"),
        ("suppress", "add", "32200001"),
        ("user", "add", "maja", "--department", "nord"),
        ("retention", "run"),
    ],
    ids=" ".join,
)
def test_what_writes_or_asks_by_the_key_refuses(
    place: Place, words: tuple[str, ...], key: str, sentence: str, tmp_path: Path
) -> None:
    place.environment["CALLSERVER_KEY"] = key
    said = place.run(*(tmp_path / "list.csv" if word == "LIST" else word for word in words))
    assert said.returncode == 2, said
    assert sentence in said.stderr.replace("\n", " "), said


def test_what_only_shows_or_copies_goes_on(place: Place, tmp_path: Path) -> None:
    with_another_key(place)
    place.ok("suppress", "export")
    place.ok("backup", tmp_path / "copy")
    place.ok("audit", "export", tmp_path / "log.txt")


def test_with_the_key_of_the_database_everything_goes_on(place: Place, tmp_path: Path) -> None:
    place.ok("import", "kanvas", tmp_path / "list.csv")
    assert "SUP_HASH" in place.ok("explain", NUMBER)


def test_a_key_that_is_lost_for_ever_is_said(place: Place) -> None:
    with_another_key(place)
    place.environment["CALLSERVER_KEY_IS_NEW"] = "yes"
    assert "SUP_HASH" not in place.ok("explain", NUMBER)  # why everything else refuses
    place.ok("person", "erase", "32200001")
    for number in range(2, 6):
        place.ok("person", "erase", f"3220000{number}")
    del place.environment["CALLSERVER_KEY_IS_NEW"]  # what is recorded since then is this key's
    place.ok("suppress", "add", "32200009")
