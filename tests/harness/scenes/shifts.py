"""Shifts: paused campaigns, pauses, closing time, listening supervisors."""

from datetime import timedelta

from callserver.engine.calls import campaign_pauses
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx
from tests.harness.listening import ADMINISTRATOR, LEADER, OTHER
from tests.harness.scenes.evening import CLOSING, RINGS_OUT, System, ends, tries


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
