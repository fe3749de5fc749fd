"""What the phoner is told about a listening, and the listener's form."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from callserver.cli.invented_data import enter_line
from callserver.simulator.legs import Behaviour
from tests.harness.listening import (
    LEADER,
    SUPERVISOR,
    TRAINEE,
    ListeningSystem,
)
from tests.harness.simulated import ROOT


async def test_what_the_phoner_is_told_and_the_form(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    _, heard = await system.api("GET", "/listened-to-me")
    assert heard == {"listenings": [], "forms": [], "untold": 0}, "told afterwards"
    attempt = system.calls()[0].attempt
    form = {"respectful": 5, "serious": 4, "positive": 5, "words": "Rolig og ærlig."}
    assert (await system.ask("POST", f"/calls/{attempt}/form", form))[0] == 200
    assert (await system.ask("POST", f"/calls/{attempt}/form", form, user=LEADER))[0] == 404
    assert (await system.ask("POST", f"/calls/{attempt}/form", form, user=TRAINEE))[0] == 403
    again = form | {"positive": 3}
    assert (await system.ask("POST", f"/calls/{attempt}/form", again))[0] == 200
    too_much = form | {"respectful": 6}
    assert (await system.ask("POST", f"/calls/{attempt}/form", too_much))[0] == 422
    await system.stop()
    _, heard = await system.api("GET", "/listened-to-me")
    (listening,) = heard["listenings"]
    assert (listening["by"], listening["calls"]) == (f"u{SUPERVISOR}", [attempt])
    assert [stay["mode"] for stay in listening["intervals"]] == ["silent"]
    assert [(form["positive"], form["words"]) for form in heard["forms"]] == [
        (3, "Rolig og ærlig.")
    ]
    assert heard["untold"] == 1
    _, heard = await system.api("POST", "/listened-to-me", {"listenings": [listening["id"]]})
    assert heard["untold"] == 0
    assert heard["listenings"][0]["told_at"]
    _, others = await system.api("GET", "/listened-to-me", phoner=2)
    assert others["listenings"] == []
    await system.api("POST", "/listened-to-me", {"listenings": [listening["id"]]}, phoner=2)
    assert "Rolig" not in str(system.entries()), "no words in the log"


async def test_the_phoner_comments_on_a_form(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    attempt = system.calls()[0].attempt
    form = {"respectful": 2, "serious": 4, "positive": 3, "words": "Lyt længere."}
    assert (await system.ask("POST", f"/calls/{attempt}/form", form))[0] == 200
    await system.stop()
    _, heard = await system.api("GET", "/listened-to-me")
    ((key, comment),) = [(form["id"], form["comment"]) for form in heard["forms"]]
    assert comment == ""
    words, path = {"comment": "Linjen knasede."}, f"/forms/{key}/comment"
    assert (await system.ask("POST", path, words))[0] == 403, "a supervisor has none"
    assert (await system.api("POST", path, words, phoner=2))[0] == 404, "about another's call"
    assert (await system.api("POST", path, {"comment": "Hm."}))[0] == 200
    status, heard = await system.api("POST", path, words)
    assert (status, heard["forms"][0]["comment"]) == (200, "Linjen knasede.")
    assert heard["forms"][0]["commented_at"]
    # The form filled in again keeps the comment, and the supervisor reads it.
    assert (await system.ask("POST", f"/calls/{attempt}/form", form | {"respectful": 4}))[0] == 200
    _, floor = await system.ask("GET", "/floor/seats/1")
    assert [(form["respectful"], form["comment"]) for form in floor["forms"]] == [
        (4, "Linjen knasede.")
    ]
    entries = [entry for entry in system.entries() if entry["kind"] == "form_comment"]
    assert [(entry["form"], entry["call"]) for entry in entries] == [(key, attempt)] * 2
    assert "knasede" not in str(system.entries()), "no words in the log"


async def test_the_phoner_sees_every_mode_and_its_times(system: ListeningSystem) -> None:
    """Not the last mode only: joining for less than a second is shown as that, between two coachings."""
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(10)
    for mode, seconds in (("coach", 20), ("join", 0.4), ("coach", 5), ("silent", 3)):
        assert await system.listen(mode) == 200
        await system.pass_time(seconds)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    assert await system.outcome("no_thanks", then="pause")
    await system.pass_time(60)  # a pause, which nobody hears
    await system.stop()
    _, heard = await system.api("GET", "/listened-to-me")
    (listening,) = heard["listenings"]
    assert "mode" not in listening
    told = [
        (
            stay["mode"],
            datetime.fromisoformat(stay["since"]),
            datetime.fromisoformat(stay["until"]),
        )
        for stay in listening["intervals"]
    ]
    assert [mode for mode, _, _ in told] == ["silent", "coach", "join", "coach", "silent"]
    # What the network itself has recorded, to a fifth of a second.
    voices = system.network.listening_record.stays
    assert len(voices) == len(told)
    for (_, since, until), voice in zip(told, voices, strict=True):
        assert abs((since - voice.since).total_seconds()) < 0.2
        assert voice.until is not None
        assert abs((until - voice.until).total_seconds()) < 0.2
    assert (told[2][2] - told[2][1]).total_seconds() == pytest.approx(0.4, abs=0.1)


async def test_who_was_never_in_the_room_is_not_said_to_have_listened(
    system: ListeningSystem,
) -> None:
    await system.talking()
    system.people.does["+4532209999"] = Behaviour(answers_after=None)
    system.write(lambda tx: enter_line(tx, SUPERVISOR, "+4532209999", system.clock.now()))
    assert await system.listen() == 200
    await system.pass_time(50)
    _, heard = await system.api("GET", "/listened-to-me")
    assert (heard["listenings"], heard["untold"]) == ([], 0)


async def test_during_means_during(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("house.yaml"))
    text = (ROOT / "config" / "house.yaml").read_text().replace("told: after", "told: during")
    (config / "house.yaml").write_text(text)
    system = ListeningSystem(tmp_path, config=config)
    await system.talking()
    assert await system.listen() == 200
    _, heard = await system.api("GET", "/listened-to-me")
    assert [listening["until"] for listening in heard["listenings"]] == [None]
    system.close()
