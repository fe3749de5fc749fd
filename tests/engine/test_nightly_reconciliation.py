"""Every night the tables are compared with the log, and a row that differs is an alarm."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from callserver.database import audit
from callserver.database.tables import suppressions
from callserver.domain.alarm import AlarmKind
from callserver.domain.facts import Scope
from callserver.engine.audit_log.nightly_reconciliation import NightlyReconciliation
from callserver.engine.reporting import floor_figures
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from tests.harness.simulated import SimulatedSystem

NIGHT = datetime.fromisoformat("2026-05-12T02:10:00+02:00").astimezone(UTC)


async def looks(system: SimulatedSystem) -> list[int]:
    """Look once; how many rows differed at each comparison so far, the newest first."""
    ctx = system.server.ctx
    nightly = NightlyReconciliation(ctx, f"sqlite:///{system.folder}/system.db")
    await nightly.run(ctx.clock.now())
    await ctx.background.idle()
    entries = system.read(lambda tx: audit.search(tx, audit.LogQuery(("reconciled",)), 10))
    return [entry["different"] for entry in entries]


def raised(system: SimulatedSystem) -> set[AlarmKind]:
    alarms = system.read(lambda tx: floor_figures.alarms(tx, system.server.ctx))
    return {alarm.kind for alarm in alarms}


async def test_once_a_night_while_nobody_works(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, start=NIGHT)
    assert await looks(system) == [0]
    assert await looks(system) == [0]  # not twice
    system.clock.set(NIGHT + timedelta(days=1))
    assert await looks(system) == [0, 0]
    assert AlarmKind.LOG_DIFFERS not in raised(system)


async def test_by_day_it_waits(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, start=NIGHT + timedelta(hours=12))
    assert await looks(system) == []


async def test_an_opt_out_that_was_deleted_by_hand_is_an_alarm(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, start=NIGHT)
    contact, secret = system.contacts()[0], system.server.ctx.secret
    origin = Origin(by="user:1", at=NIGHT)
    system.write(lambda tx: opt_outs.add(tx, [Scope.PERSON], None, [contact], secret, origin))
    assert await looks(system) == [0]
    system.write(lambda tx: tx.execute(suppressions.delete()))
    system.clock.set(NIGHT + timedelta(days=1))
    assert await looks(system) == [1, 0]
    assert AlarmKind.LOG_DIFFERS in raised(system)
