"""Short evenings under the test's hand, each about one thing. Every one of them is lawful: what a server must
refuse is tried, and refused."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from callserver.database import accounts, audit
from callserver.database.accounts import User
from callserver.database.engines import reading
from callserver.domain.audit import EntryKind
from callserver.domain.call import Report
from callserver.domain.facts import Scope
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import load_key
from callserver.engine.calls import campaign_pauses
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import lifting, opt_outs
from callserver.engine.suppressions.lifting import Channel
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import CallserverError
from callserver.ports import Tx
from callserver.provider_events import CallReport
from callserver.simulator.legs import Behaviour
from tests.harness.listening import ADMINISTRATOR, LEADER, OTHER, SUPERVISOR, ListeningSystem
from tests.harness.simulated import in_a_talk

ORIGIN = "calls.example.org/log"
FIRST = "+4532200000"
RINGS_OUT = Behaviour(answers_after=None)
ONE_PERSON = "ref;navn;telefon;født;kilde\nK0;Person 0;32200000;1980-01-01;gade\n"
HOUSEHOLD = "ref;navn;telefon;adresse;kilde\n1;A;32200000;Vej 1;x\n2;B;32200001;Vej 1;x\n"
MORNING = datetime.fromisoformat("2026-05-12T10:00:00+02:00")
CLOSING = datetime.fromisoformat("2026-05-12T21:00:00+02:00")
LATER = 5 * 3600
"""Seconds: more than the rest between two calls."""

System = ListeningSystem


@dataclass(frozen=True)
class Scene:
    """What happens, and the system that it happens in."""

    plays: Callable[[System], Awaitable[None]]
    system: dict[str, Any] = field(default_factory=dict)


WHOLE_EVENING = 400
"""Seconds: what an entry obliges the server to is in the log by then, or is late."""


async def over(system: System) -> None:
    """The evening is over, and something is written in the log later: its end judges what is missing."""
    await system.pass_time(WHOLE_EVENING)
    now = system.clock.now()
    system.write(
        lambda tx: audit.append(tx, now, EntryKind.VERIFIED, by="command", sealed=0, wrong=0)
    )
    await system.pass_time(10)


def published(system: System) -> Path:
    """The log of the system as a stranger gets it."""
    folder = system.folder / "export"
    publisher = Publisher(folder, ORIGIN, load_key(system.folder / "seal.key"))
    with reading(system.server.store.engine) as tx:
        publisher.publish(tx)
    return folder


def user(tx: Tx, key: int) -> User:
    known = accounts.user(tx, key)
    assert known is not None
    return known


async def hangs_up(system: System) -> None:
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)


async def ends(system: System, outcome: str, details: Any = None, then: str = "pause") -> None:
    """The person hangs up, and the phoner saves the outcome."""
    await hangs_up(system)
    status, answer = await system.outcome(outcome, details, then=then)
    assert status == 200, answer
    await system.pass_time(2)


async def tries(system: System, path: str, body: Any, *, phoner: int = 1) -> int:
    """A request that a server may refuse, and the time until its consequences are in the log."""
    status, _ = await system.api("POST", path, body, phoner=phoner)
    await system.pass_time(60)
    return status


# -- scenes ------------------------------------------------------------------------------------


async def ordinary(system: System) -> None:
    """A talk with an outcome, calls that nobody answers, a pause."""
    await in_a_talk(system)
    await ends(system, "no_thanks", then="ready")
    system.people.default = RINGS_OUT
    await system.pass_time(70)
    await system.do("POST", "/pause", {})
    await system.pass_time(60)


async def slow_phoner(system: System) -> None:
    """The time for the outcome passes; then it is given."""
    await in_a_talk(system)
    await hangs_up(system)
    await system.pass_time(90)
    await tries(system, "/ready", {})
    await system.outcome("no_thanks", then="pause")
    await system.pass_time(20)


async def phoner_hangs_up(system: System) -> None:
    await in_a_talk(system)
    await system.do("POST", "/hang-up", {})
    await system.pass_time(400)


async def late_report(system: System, report: Report) -> None:
    (call,) = system.calls()
    await system.server.call_flow.receive(CallReport(call.attempt, report, leg=call.ref))
    await system.pass_time(2)


async def late_in_a_talk(system: System) -> None:
    """The report of ringing comes in the middle of the talk."""
    await in_a_talk(system)
    await late_report(system, Report.RANG)
    await ends(system, "no_thanks")


async def late_after_the_end(system: System) -> None:
    await in_a_talk(system)
    await ends(system, "no_thanks")
    await late_report(system, Report.RANG)


async def busy(system: System) -> None:
    system.people.default = Behaviour(ends="busy")
    await system.on_shift()
    await system.ready()
    await system.pass_time(20)


async def nobody_answers(system: System) -> None:
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(400)


async def no_reports(system: System) -> None:
    """Nobody answers, and no report of the network arrives."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(1)
    for leg in system.live_legs():
        leg.callback.url = None
    await system.pass_time(400)


async def by_hand_again(system: System) -> None:
    """The phoner dials the same number by hand, over and over, on one day."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    for wait in (0, 600, LATER, LATER - 1800):
        await system.jump(wait)
        await tries(system, "/dial", {"number": FIRST})


async def one_household(system: System) -> None:
    """Two phoners, and two people of one household on the list."""
    system.people.default = RINGS_OUT
    for phoner in (1, 2):
        await system.on_shift(phoner)
        await system.ready(phoner)
    await system.pass_time(30)


async def said(system: System, outcome: str, details: Any = None) -> None:
    await in_a_talk(system)
    await ends(system, outcome, details)


async def dialed_later(system: System, outcome: str) -> None:
    """The person said it, and is dialed by hand hours later."""
    await said(system, outcome)
    await system.jump(LATER)
    await tries(system, "/dial", {"number": FIRST})


async def never(system: System) -> None:
    await dialed_later(system, "never")


async def deceased(system: System) -> None:
    await dialed_later(system, "deceased")


async def complaint(system: System) -> None:
    await said(system, "complaint", {"note": "rang at dinner"})
    await system.pass_time(10)


async def wish_and_milder_outcome(system: System) -> None:
    """The person never wants to be called; the outcome says less."""
    await in_a_talk(system)
    await system.do("POST", "/wish", {"wish": "never"})
    await ends(system, "hung_up")


async def finished(system: System) -> None:
    """The only contact is finished; hours later the phoner is ready again."""
    await said(system, "data_wish", {"note": "asks for a copy"})
    await system.jump(LATER)
    await tries(system, "/ready", {})


async def call_back(system: System) -> None:
    """A call-back is agreed for the evening, and the phoner is ready before."""
    at = system.clock.now() + timedelta(hours=8)
    await said(system, "call_back", {"at": at.isoformat()})
    await system.jump(LATER)
    await tries(system, "/ready", {})


async def corrected(system: System) -> None:
    """The outcome is corrected twice."""
    await said(system, "no_thanks")
    attempt = system.calls()[0].attempt
    for outcome in ("hung_up", "voicemail"):
        body = {"attempt": attempt, "outcome": outcome}
        await tries(system, "/correct", body)


async def nine(system: System) -> None:
    """Somebody calls back and presses 9."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(40)
    await system.do("POST", "/pause", {})
    system.people.keys[FIRST] = "9"
    await system.network.call_in(FIRST, "+4532123400", "http://calls.test/twilio/voice/inbound")
    await system.pass_time(60)


async def opts_out(system: System, now: datetime | None = None) -> None:
    """The first number opts out, by a letter."""
    origin = Origin(by=f"user:{LEADER}", at=now or system.clock.now())

    def work(tx: Tx) -> None:
        opt_outs.add(tx, [Scope.NUMBER], 4532200000, [], b"test", origin)

    await system.server.store.run(work)
    await system.server.ctx.background.idle()


async def opt_out_while_it_rings(system: System) -> None:
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    await opts_out(system)
    await system.pass_time(60)


async def attempts(system: System, act: Callable[[Tx], object]) -> None:
    """Something that a server may refuse."""
    with refused():
        await system.server.store.run(act)
    await system.pass_time(5)


@contextmanager
def refused() -> Iterator[None]:
    try:
        yield
    except CallserverError:
        return


async def proposed(system: System) -> int:
    """The opt-out of the day before is proposed to be lifted; the proposal's id."""
    await opts_out(system)
    await system.jump(86_400)
    now = system.clock.now()

    def work(tx: Tx) -> int:
        day = now.astimezone(UTC).date()
        leader = user(tx, LEADER)
        lift = lifting.propose(
            tx, [1], leader, asked_on=day, channel=Channel.LETTER, why="asked", now=now
        )
        return lift.id

    lift: int = await system.server.store.run(work)
    return lift


async def approves(system: System, lift: int, by: int) -> None:
    """A colleague tries to approve the proposal."""
    await attempts(system, lambda tx: lifting.approve(tx, lift, user(tx, by), system.clock.now()))


async def lifted(system: System) -> None:
    """The proposer tries to approve it; then a second colleague does, and the number is called."""
    lift = await proposed(system)
    for key in (LEADER, ADMINISTRATOR):
        await approves(system, lift, key)
    await system.on_shift()
    await tries(system, "/dial", {"number": FIRST})


async def lift_refused(system: System) -> None:
    """A colleague refuses the proposal; another tries to approve it afterwards."""
    lift = await proposed(system)
    await attempts(
        system, lambda tx: lifting.refuse(tx, lift, user(tx, LEADER), system.clock.now())
    )
    await approves(system, lift, ADMINISTRATOR)


async def undone(system: System) -> None:
    """A colleague who has not written the opt-out tries to undo it."""
    await opts_out(system)
    await attempts(
        system, lambda tx: lifting.undo(tx, [1], user(tx, ADMINISTRATOR), system.clock.now())
    )


async def paused_campaign(system: System) -> None:
    """The campaign is paused, and a phoner is ready."""
    await system.on_shift()

    def pause(tx: Tx) -> None:
        now = system.clock.now()
        campaign_pauses.switch(tx, "kanvas", "test", now, paused=True, by=f"user:{LEADER}")

    system.write(pause)
    await tries(system, "/ready", {})


async def two_campaigns(system: System) -> None:
    """Another campaign has a list too."""
    lapsed = system.server.ctx.rules.campaign("lapsed")
    content = b"ref;navn;telefon;kilde;sidste gave\nL1;Person L;32200077;gade;2026-01-01\n"
    system.write(lambda tx: import_list(tx, lapsed, content, system.clock.now()))
    await system.on_shift()
    await system.ready()
    await system.pass_time(40)


async def woken_in_a_pause(system: System) -> None:
    """The seat is looked at once too often, while the phoner pauses."""
    await system.on_shift()
    await system.do("POST", "/pause", {})
    await system.server.dialer.dial(1)
    await system.pass_time(40)


async def shift_ended(system: System) -> None:
    """A supervisor ends the shift; the phoner presses Ready."""
    await system.on_shift()
    status, _ = await system.ask("POST", "/floor/seats/1/off", {})
    assert status < 300
    await tries(system, "/ready", {})


async def phoner_lost_while_it_rings(system: System) -> None:
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    await system.network.end(system.phoner_leg(), "completed")
    await system.pass_time(200)


async def phoner_lost_at_the_answer(system: System) -> None:
    """Somebody answers in the moment in which the phoner's telephone is lost."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    person = system.live_legs()[0]
    await system.network.end(system.phoner_leg(), "completed")
    await system.network.answer(person)
    await system.pass_time(300)


async def phoner_lost_while_waiting(system: System) -> None:
    """The list has nobody left, the phoner's telephone is lost, and a new list comes."""
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    leg = system.phoner_leg()
    system.people.phoners_answer = False
    await system.network.end(leg, "completed")
    await system.pass_time(3)
    campaign = system.server.ctx.rules.campaign("kanvas")
    system.write(lambda tx: import_list(tx, campaign, ONE_PERSON.encode(), system.clock.now()))
    await system.server.dialer.dial(1)
    await system.pass_time(40)


async def before_closing(system: System, seconds: float, queued: float = 0) -> None:
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.do("POST", "/pause", {})
    await system.pass_time((CLOSING - system.clock.now()).total_seconds() - seconds)
    system.network.next_start = system.clock.now() + timedelta(seconds=queued)
    await system.ready()


async def ready_at_closing_time(system: System) -> None:
    await before_closing(system, 20)
    await system.pass_time(100)


async def queued_at_closing_time(system: System) -> None:
    """The last call of the day waits in the network's own queue."""
    await before_closing(system, 40, queued=30)
    await system.pass_time(150)


async def listens(system: System, user: int) -> None:
    await system.talking()
    await system.listen(user=user)
    await system.pass_time(3)
    await ends(system, "no_thanks")


async def administrator_listens(system: System) -> None:
    await listens(system, ADMINISTRATOR)


async def another_department_listens(system: System) -> None:
    await listens(system, OTHER)


async def joined_voice(system: System) -> None:
    """A supervisor joins a talk, and stays for the next call."""
    await system.talking()
    await system.listen("join")
    await system.pass_time(2)
    await ends(system, "no_thanks", then="ready")
    await system.pass_time(8)
    await ends(system, "no_thanks")


async def no_listener(system: System) -> None:
    """The person wants no listener; hours later they are called again, and a supervisor listens."""
    await system.talking()
    await system.do("POST", "/no-listener", {})
    await ends(system, "hung_up")
    await system.jump(LATER)
    await system.listen(user=SUPERVISOR)
    await tries(system, "/dial", {"number": FIRST})
