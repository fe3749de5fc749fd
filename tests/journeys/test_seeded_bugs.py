"""The log alone rejects a server with a bug: each bug runs in a short evening, of which only the published
log is checked. The same evening without the bug is accepted."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from callserver.engine.audit_log.behaviour import Behaviour, check
from tests.harness.scenes.evening import Scene, System, over, published
from tests.harness.seeded_bugs import BUGS, Bug

SLIP = {"wish_is_not_written", "apology_says_nothing"}
"""What was never written down, and what was said in a call, no log shows."""


def played(scene: Scene, folder: Path, breaks: Callable[[System], None] | None = None) -> Behaviour:
    """The scene, and what its published log shows."""

    async def play() -> Behaviour:
        system = System(folder, **scene.system)
        try:
            if breaks is not None:
                breaks(system)
            await scene.plays(system)
            await over(system)
            return check(published(system))
        finally:
            system.close()

    return asyncio.run(play())


SCENES = {
    f"{bug.scene.plays.__name__}-{bug.scene.system.get('people', '')[:9]}": bug.scene
    for bug in BUGS.values()
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=lambda scene: scene.plays.__name__)
def test_the_evening_without_the_bug_is_accepted(scene: Scene, tmp_path: Path) -> None:
    result = played(scene, tmp_path)
    assert [str(violation) for violation in result.violations] == []
    assert result.is_sealed
    assert result.counts.total() > 5


@pytest.mark.parametrize("bug", BUGS.values(), ids=list(BUGS))
def test_the_log_of_a_server_with_the_bug_is_rejected(
    bug: Bug, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = played(bug.scene, tmp_path, lambda system: bug.breaks(monkeypatch, system))
    rules = {violation.rule for violation in result.violations}
    assert rules >= {bug.rule} - {None}, [str(violation) for violation in result.violations]
    assert result.accepted == (bug.rule is None)


def test_all_but_two_of_at_least_thirty_bugs_are_rejected() -> None:
    assert len(BUGS) >= 30
    assert {name for name, bug in BUGS.items() if bug.rule is None} == SLIP
