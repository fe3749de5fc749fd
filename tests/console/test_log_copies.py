"""The server publishes its log by itself, and the floor hears about copies that fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.domain.role import Role
from callserver.engine.audit_log.publication import EVERY
from tests.harness import second_reader
from tests.harness.staffed import StaffedSystem

MINUTE = EVERY.total_seconds()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, publish_command="false {folder}")
    made.add_user("supervisor", Role.SUPERVISOR)
    yield made
    made.close()


async def test_the_log_is_published_every_minute_and_a_failing_copy_is_an_alarm(
    system: StaffedSystem,
) -> None:
    await system.on_shift()
    await system.pass_time(2 * MINUTE)
    folder = system.folder / "published"
    entries = second_reader.read_log(folder, (folder / "vkey").read_text())
    assert any(b'"kind":"seat"' in entry for entry in entries)
    supervisor = await system.client("supervisor")
    figures = (await supervisor.api("GET", "/floor/figures")).json()
    assert "log_not_copied" not in {alarm["kind"] for alarm in figures["alarms"]}
    await system.pass_time(5 * MINUTE)
    figures = (await supervisor.api("GET", "/floor/figures")).json()
    assert "log_not_copied" in {alarm["kind"] for alarm in figures["alarms"]}
    assert "log_not_published" not in {alarm["kind"] for alarm in figures["alarms"]}
    (folder / "checkpoint").write_text("something else\n")
    await system.pass_time(7 * MINUTE)
    figures = (await supervisor.api("GET", "/floor/figures")).json()
    assert "log_not_published" in {alarm["kind"] for alarm in figures["alarms"]}
