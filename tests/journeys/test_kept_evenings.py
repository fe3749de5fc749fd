"""Evenings of earlier versions are judged as they were: what was right then is right, and what was changed is found.

Each folder of tests/golden/evenings is what `callserver audit decisions` wrote in one version, and is never written again:
the rules have no version of their own, so a change of them that judges old decisions otherwise fails here.
CALLSERVER_GOLDEN_EVENING=NAME keeps an evening of this version. All people are invented.
"""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from callserver.database import revisions
from callserver.database.engines import reading
from callserver.domain.reason import Reason
from callserver.engine.audit_log import behaviour, decision_export
from callserver.engine.audit_log.judge import judge
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import load_key
from tests.harness.listening import ADMINISTRATOR, ListeningSystem
from tests.harness.scenes.evening import ORIGIN, RINGS_OUT, ends, over, tries
from tests.harness.scenes.wishes import approves, proposed
from tests.harness.simulated import ROOT, in_a_talk
from tests.journeys.test_judge import a_call_less, another_entry, another_rule, another_value

EVENINGS = ROOT / "tests" / "golden" / "evenings"
KEPT = sorted(folder for folder in EVENINGS.iterdir() if folder.is_dir())
PEOPLE = """ref;navn;telefon;adresse;født;tidszone;kilde
K0;Person 0;32200000;Vej 1, 8000;1980-01-01;;gade
K1;Person 1;32200001;Vej 2, 8000;1980-01-01;;gade
K2;Person 2;32200002;Vej 3, 8000;1980-01-01;;gade
K3;Person 3;32200003;Vej 4, 8000;2015-01-01;;gade
K4;Person 4;32200004;Vej 5, 8000;1980-01-01;;-
K5;Person 5;32200005;Vej 6, 8000;1980-01-01;Asia/Tokyo;gade
K6;Person 6;32200006;Vej 7, 8000;1980-01-01;;gade
K7;Person 7;32200007;Vej 7, 8000;1980-01-01;;gade
K8;Person 8;32200008;Vej 8, 8000;1980-01-01;;gade
K9;Person 9;32200009;Vej 9, 8000;1980-01-01;;gade
"""


async def evening(system: ListeningSystem) -> None:
    """Talks, wishes, refusals, a listener, a night, and an opt-out that two colleagues lift."""
    rules = system.server.ctx.rules.current
    system.write(
        lambda tx: revisions.put_in_force(tx, rules.revision, rules.content, {}, system.clock.now())
    )
    await in_a_talk(system)
    assert await system.listen() == 200
    await system.pass_time(3)
    await system.do("POST", "/no-listener", {})
    await system.do("POST", "/wish", {"wish": "never"})
    await ends(system, "never", then="ready")
    await system.pass_time(6)
    await ends(system, "no_thanks", then="ready")
    await system.pass_time(6)
    at = system.clock.now().replace(minute=0) + timedelta(hours=2)
    system.people.default = RINGS_OUT
    await ends(system, "call_back", {"at": at.isoformat()}, then="ready")
    await system.pass_time(200)
    await system.do("POST", "/pause", {})
    await system.pass_time(60)
    for number in range(10):
        await tries(system, "/dial", {"number": f"322000{number:02}"})
    await system.ready()
    await system.jump(5 * 3600)  # into the night
    await system.pass_time(60)
    await tries(system, "/dial", {"number": "32200009"})
    await system.do("POST", "/off", {})
    lift = await proposed(system)
    await approves(system, lift, ADMINISTRATOR)
    await system.jump(18 * 3600)
    await system.on_shift()
    await tries(system, "/dial", {"number": "32200000"})
    await system.do("POST", "/off", {})
    await system.jump(24 * 3600)  # Ascension Day is over
    await system.on_shift()
    await system.ready()
    await system.pass_time(300)
    await over(system)


def keep(folder: Path, kept: Path) -> None:
    """Play an evening, and keep what its log shows."""

    async def play() -> None:
        system = ListeningSystem(folder, people=PEOPLE)
        try:
            await evening(system)
            publisher = Publisher(kept, ORIGIN, load_key(system.folder / "seal.key"))
            with reading(system.server.store.engine) as tx, tx.begin():
                published = publisher.publish(tx)
                assert published is not None
                since = system.clock.now() - timedelta(days=730)
                decision_export.write(tx, kept, published.size, (), since)
        finally:
            system.close()

    asyncio.run(play())


def reasons(folder: Path) -> Counter[str]:
    """How often each reason for a refusal stands in the log."""
    words = (folder / "tile/entries").rglob("*")
    text = b"".join(path.read_bytes() for path in words if path.is_file()).decode(errors="ignore")
    return Counter({reason.value: text.count(f'"{reason.value}"') for reason in Reason})


def test_an_evening_of_this_version(tmp_path: Path) -> None:
    """It is one that may be kept."""
    name = os.environ.get("CALLSERVER_GOLDEN_EVENING")
    kept = EVENINGS / name if name else tmp_path / "kept"
    assert not kept.exists(), "what is kept is never written again"
    keep(tmp_path / "system", kept)
    accepted(kept)


def accepted(folder: Path) -> None:
    judgement, behaved = judge(folder), behaviour.check(folder)
    assert [str(finding) for finding in judgement.findings] == []
    assert [str(violation) for violation in behaved.violations] == []
    assert behaved.is_sealed
    counts = judgement.counts
    assert counts["judged"] == counts["permitted"] + counts["refused"]
    assert counts["permitted"] >= 8
    assert sum(times > 0 for times in reasons(folder).values()) >= 7


@pytest.mark.parametrize("kept", KEPT, ids=lambda folder: folder.name)
def test_it_is_judged_as_it_was(kept: Path) -> None:
    accepted(kept)


@pytest.mark.parametrize("change", [another_value, a_call_less, another_rule, another_entry])
@pytest.mark.parametrize("kept", KEPT, ids=lambda folder: folder.name)
def test_what_was_changed_in_it_is_found(
    kept: Path, change: Callable[[Path], None], tmp_path: Path
) -> None:
    changed = shutil.copytree(kept, tmp_path / "changed")
    change(changed)
    assert judge(changed).findings
