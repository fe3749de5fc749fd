"""A new phoner's first shifts: the server counts them, and no path dials earlier."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callserver.database import accounts
from callserver.database.tables import listening_intervals, worked_shifts
from callserver.engine.training import signatures
from tests.harness.listening import ADMINISTRATOR, SUPERVISOR, TRAINEE, ListeningSystem
from tests.harness.simulated import ROOT
from tests.journeys.test_clock import stepping

MONDAY = datetime(2026, 5, 18, 15, tzinfo=UTC)
LISTEN_ONLY, SUPERVISED = "AGENT_LISTEN_ONLY", "AGENT_NEEDS_SUPERVISOR"
PEOPLE = "number,name\n" + "".join(f"+45322000{n:02},Prøve {n}\n" for n in range(40))


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ListeningSystem]:
    config = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    path = config / "training.yaml"
    text = path.read_text("utf-8").replace("shift_minutes: 60", "shift_minutes: 30")
    text = text.replace("mentor_minutes: 15", "mentor_minutes: 5")
    path.write_text(text.replace("listening_minutes: 10", "listening_minutes: 5"), "utf-8")
    system = ListeningSystem(tmp_path, start=MONDAY, config=config, people=PEOPLE)
    rules = system.server.ctx.rules.current
    system.write(lambda tx: signatures.sign_all(tx, rules, TRAINEE, MONDAY))
    yield system
    system.close()


async def lead(system: ListeningSystem, path: str, body: Any, user: int = SUPERVISOR) -> int:
    return (await system.ask("POST", path, body, user=user))[0]


async def refused(system: ListeningSystem, reason: str) -> None:
    """No path dials: neither the list, nor a number that is typed in, nor the last one again."""
    before = len(system.rang())
    await system.ready(TRAINEE)
    await system.pass_time(6)
    assert (await system.seat(TRAINEE))["reason"] == reason
    await system.do("POST", "/pause", {"reason": "pause"}, phoner=TRAINEE)
    await system.pass_time(1)
    for path, body in (("/dial", {"number": "32200039"}), ("/redial", {})):
        status, answer = await system.api("POST", path, body, phoner=TRAINEE)
        assert status in (404, 409), answer  # there may be no last call
        assert path == "/redial" or reason in answer["reasons"]
    assert len(system.rang()) == before


async def call(system: ListeningSystem, *, minutes: int, heard: bool = False) -> None:
    """The trainee talks with somebody; the supervisor may listen."""
    await system.ready(TRAINEE)
    await system.pass_time(6)
    assert (await system.seat(TRAINEE))["state"] == "talking"
    if heard:
        seat = (await system.seat(TRAINEE))["id"]
        assert await system.listen(seat=seat, why="new") == 200
    await system.pass_time(minutes * 60)
    if heard:
        await system.stop()
    await system.do("POST", "/hang-up", phoner=TRAINEE)
    await system.pass_time(2)
    assert (await system.outcome("no_thanks", phoner=TRAINEE, then="pause"))[0] == 200


async def leave(system: ListeningSystem, phoner: int = TRAINEE) -> None:
    await system.do("POST", "/off", phoner=phoner)
    await system.pass_time(5)


async def next_day(system: ListeningSystem) -> None:
    system.clock.set(system.clock.now() + timedelta(days=1))
    await system.pass_time(5)
    await system.on_shift(TRAINEE)


async def first_shift(system: ListeningSystem, minutes: int = 25) -> None:
    """The trainee hears their mentor for six minutes, and stays in their room."""
    assert await lead(system, f"/users/{TRAINEE}/mentor", {"mentor": 1}) == 200
    await system.on_shift(TRAINEE)
    await system.talking()
    mentor = (await system.seat(1))["id"]
    assert await system.listen(user=TRAINEE, why="mentor", seat=mentor) == 200
    await system.pass_time(6 * 60)
    await system.stop(TRAINEE)
    await system.do("POST", "/hang-up")
    await system.pass_time(2)
    await system.outcome("no_thanks", then="pause")
    await leave(system, 1)
    await system.pass_time(minutes * 60)


async def exercise(system: ListeningSystem) -> None:
    body = {"activity": "pair_exercise", "day": "2026-05-18", "phoners": [TRAINEE]}
    assert await lead(system, "/training/sessions", body) == 200
    team = (await system.ask("GET", "/training/team"))[1]
    path = f"/training/sessions/{team['sessions'][0]['id']}/attendance"
    assert await lead(system, path, {"phoner": TRAINEE, "attended": True}) == 200


async def test_from_listening_to_the_conversation(system: ListeningSystem) -> None:
    await exercise(system)
    await first_shift(system)
    await refused(system, LISTEN_ONLY)
    await leave(system)
    await system.on_shift(TRAINEE)  # the same day again is the same shift
    await refused(system, LISTEN_ONLY)
    assert await lead(system, f"/training/phoners/{TRAINEE}/talk", {"words": ""}) == 409
    await leave(system)

    await next_day(system)  # the second shift
    await refused(system, SUPERVISED)
    assert await lead(system, "/presence", {}) == 403  # with a token
    await refused(system, SUPERVISED)
    await system.be_present()
    await call(system, minutes=31)  # nobody listens
    await leave(system)

    await next_day(system)  # the second shift again
    await refused(system, SUPERVISED)
    await system.be_present()
    await call(system, minutes=31, heard=True)
    await leave(system)

    await next_day(system)  # the third
    assert (await system.do("GET", "/training", phoner=TRAINEE))["shift"] == 3
    await call(system, minutes=31)
    await leave(system)

    await next_day(system)  # the conversation is missing
    await refused(system, SUPERVISED)
    talk = f"/training/phoners/{TRAINEE}/talk"
    assert await lead(system, talk, {"words": "Godt gået."}) == 200
    assert await lead(system, talk, {"words": "Godt gået. "}) == 200  # sent twice
    await refused(system, SUPERVISED)
    mine = await system.do("POST", "/training/talk", {}, phoner=TRAINEE)
    assert (mine["shift"], mine["words"]) == (None, "Godt gået.")
    await call(system, minutes=1)
    did = [entry["did"] for entry in system.entries("training")]
    assert did[-3:] == ["talked", "talked", "trained"]
    assert did.count("talked") == 2
    assert "Godt" not in str(system.entries())


async def test_a_short_shift_and_a_clock_set_back_lead_nowhere(system: ListeningSystem) -> None:
    await exercise(system)
    await system.on_shift(TRAINEE)
    await system.pass_time(20 * 60)
    await leave(system)
    await next_day(system)
    await refused(system, LISTEN_ONLY)
    await leave(system)
    await first_shift(system)
    await leave(system)
    await next_day(system)
    await system.be_present()
    assert (await system.do("GET", "/training", phoner=TRAINEE))["shift"] == 2
    await leave(system)
    system.clock.step(-timedelta(days=1))
    assert (await system.do("GET", "/training", phoner=TRAINEE))["shift"] == 1


async def test_time_in_which_no_server_ran_counts_for_no_shift(system: ListeningSystem) -> None:
    """The trainee and their mentor are on the line when the server stops, and gone when it starts."""
    await exercise(system)
    assert await lead(system, f"/users/{TRAINEE}/mentor", {"mentor": 1}) == 200
    await system.on_shift(TRAINEE)
    await system.talking()
    assert await system.listen(user=TRAINEE, why="mentor", seat=(await system.seat(1))["id"]) == 200
    await system.pass_time(60)
    for leg in [leg for leg in system.network.legs.values() if leg.live]:
        leg.callback.url = None  # its end is not reported
        await system.network.end(leg, "completed")
    system.clock.set(system.clock.now() + timedelta(hours=2))
    system.restart()
    await system.server.scheduler.start()
    await system.pass_time(5)
    counted = system.read(lambda tx: tx.execute(select(worked_shifts)).mappings().one())
    assert (counted["counts"], counted["seconds"] < 90) == (False, True)
    heard = system.read(lambda tx: tx.execute(select(listening_intervals)).mappings().all())
    lasted = [listening["until"] - listening["since"] for listening in heard]
    assert timedelta(seconds=40) < sum(lasted, timedelta()) < timedelta(seconds=90)
    await leave(system)
    await next_day(system)
    await refused(system, LISTEN_ONLY)


async def test_a_clock_that_jumps_counts_for_no_shift(system: ListeningSystem) -> None:
    clock = stepping(system)
    await exercise(system)
    await first_shift(system, minutes=10)
    clock.step(timedelta(hours=1))
    await system.pass_time(5)
    await leave(system)
    clock.accept()
    await system.pass_time(5)
    await next_day(system)
    await refused(system, LISTEN_ONLY)


async def test_without_the_exercise_or_the_mentor_s_calls_the_first_shift_stays(
    system: ListeningSystem,
) -> None:
    await system.on_shift(TRAINEE)
    await system.pass_time(40 * 60)
    await leave(system)
    await next_day(system)  # nobody was heard
    await refused(system, LISTEN_ONLY)
    await leave(system)
    await first_shift(system)
    await leave(system)
    await next_day(system)  # no exercise
    await refused(system, LISTEN_ONLY)
    await exercise(system)
    await system.be_present()
    await call(system, minutes=1)


async def test_experience_is_credited_with_a_reason_and_by_administrators(
    system: ListeningSystem,
) -> None:
    path = f"/training/phoners/{TRAINEE}/credit"
    given = {"shifts": 3, "reason": "Har ringet for os i 2024."}
    assert await lead(system, path, given) == 403
    for wrong in ({**given, "reason": " "}, {**given, "shifts": 0}, {"shifts": 3}):
        assert await lead(system, path, wrong, user=ADMINISTRATOR) in (409, 422)
    assert await lead(system, path.replace(str(TRAINEE), "1"), given, ADMINISTRATOR) == 409
    await system.on_shift(TRAINEE)
    await refused(system, LISTEN_ONLY)
    assert await lead(system, path, given, user=ADMINISTRATOR) == 200
    await call(system, minutes=1)
    entry = system.entries("training")[-2]
    assert (entry["user"], entry["shifts"], entry["by"]) == (TRAINEE, 3, f"user:{ADMINISTRATOR}")
    assert "2024" not in str(system.entries("training"))
    team = (await system.ask("GET", "/training/team"))[1]
    shown = next(member for member in team["members"] if member["id"] == TRAINEE)
    assert [credit["reason"] for credit in shown["credits"]] == ["Har ringet for os i 2024."]


async def test_a_new_account_starts_at_the_first_shift(system: ListeningSystem) -> None:
    body = {"handle": "anden", "name": "Anden Konto", "role": "phoner", "department": "nord"}
    for more in ({"shifts": 99}, {"credited": 3}, {"trained_at": "2026-01-01T00:00:00Z"}):
        assert await lead(system, "/accounts", {**body, **more}, user=ADMINISTRATOR) == 422
    assert await lead(system, "/accounts", body, user=ADMINISTRATOR) == 200
    user = system.read(lambda tx: accounts.by_handle(tx, "anden"))
    assert (user.credited, user.trained_at) == (0, None)


async def test_a_conversation_that_is_sent_twice_is_recorded_once(
    system: ListeningSystem,
) -> None:
    credit = {"shifts": 2, "reason": "Worked here before"}
    path = f"/training/phoners/{TRAINEE}/credit"
    assert await lead(system, path, credit, user=ADMINISTRATOR) == 200
    first = await system.do("POST", "/training/talk", {}, phoner=TRAINEE)
    await system.pass_time(5)
    again = await system.do("POST", "/training/talk", {}, phoner=TRAINEE)
    assert again["talked_by_me"] == first["talked_by_me"]
    talk = f"/training/phoners/{TRAINEE}/talk"
    for words in ("Godt gået.", "Godt gået.", "Meget godt gået."):
        assert await lead(system, talk, {"words": words}) == 200
    did = [entry["did"] for entry in system.entries("training")]
    assert did.count("talked") == 3  # the phoner's, the supervisor's and their other words
