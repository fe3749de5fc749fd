"""What people say and want, and opt-outs that end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from callserver.domain.facts import Scope
from callserver.engine.suppressions import lifting, opt_outs
from callserver.engine.suppressions.lifting import Channel
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import CallserverError
from callserver.ports import Result, Tx
from tests.harness.listening import ADMINISTRATOR, LEADER, SUPERVISOR
from tests.harness.scenes.evening import FIRST, LATER, RINGS_OUT, System, ends, said, tries, user
from tests.harness.simulated import in_a_talk, rings


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


async def answered_after_an_opt_out(system: System) -> None:
    """The network takes the order to silence the telephone, and does not carry it out."""

    async def nothing_happens(_: str) -> Result:
        return Result.DONE

    telephony: Any = system.server.ctx.telephony
    telephony.cancel = nothing_happens
    leg = await rings(system)
    await opts_out(system)
    await system.network.answer(leg)
    await system.pass_time(30)


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


async def no_listener(system: System) -> None:
    """The person wants no listener; hours later they are called again, and a supervisor listens."""
    await system.talking()
    await system.do("POST", "/no-listener", {})
    await ends(system, "hung_up")
    await system.jump(LATER)
    await system.listen(user=SUPERVISOR)
    await tries(system, "/dial", {"number": FIRST})
