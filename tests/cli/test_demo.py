"""What `callserver demo` does before it begins."""

import re
from pathlib import Path

import pytest

from callserver.cli import demo
from callserver.cli.init import EXAMPLE
from callserver.cli.simulated_stack import DATABASE, StackPlan, listening, started
from callserver.database import accounts, training
from callserver.engine.training import standings
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from tests.cli.conftest import ROOT, Run
from tests.harness.exchange.real import WHY_NOT


def test_only_an_earlier_demo_is_removed(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("kept")
    with pytest.raises(ConfigurationProblem, match="not a demo"):
        demo.empty(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "kept"
    (tmp_path / DATABASE).touch()
    demo.empty(tmp_path)
    assert list(tmp_path.iterdir()) == []
    demo.empty(tmp_path / "new")
    assert (tmp_path / "new").is_dir()


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with listening() as door:
        door.listen()
        port = door.getsockname()[1]
        assert demo.free_port(port) == 0
    assert f"port {port} is in use" in capsys.readouterr().out
    assert demo.free_port(port) == port
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("first_week", [False, True])
async def test_the_phoner_of_the_first_week_is_new(tmp_path: Path, *, first_week: bool) -> None:
    plan = StackPlan(tmp_path, EXAMPLE, phoners=2, contacts=10, first_week=first_week)
    async with started(plan) as stack:
        rules, now = stack.server.ctx.rules.current, stack.clock.now()

        def look(tx: Tx) -> tuple[bool, int, bool]:
            maja = accounts.by_handle(tx, "maja")
            assert maja is not None
            mentor = accounts.user(tx, maja.mentor or 0)
            assert mentor is not None
            where = standings.of_user(tx, rules.training, maja, now)
            signed = training.signatures_of(tx, maja.id)
            return where.trained, where.shift, bool(signed) and mentor.department == maja.department

        assert await stack.server.store.read(look) == (
            (False, 1, False) if first_week else (True, 3, True)
        )


def test_the_demo_on_an_exchange_says_what_is_missing(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    result = run("demo", "--asterisk", "--folder", str(folder), PATH="")
    assert result.returncode == 2
    for tool in ("sipp", "espeak-ng", "sox"):
        assert tool in result.stderr
    assert folder.exists(), "nothing was emptied or begun"


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_the_demo_on_an_exchange_rings_nobody_without_a_permit(run: Run) -> None:
    words = ("demo", "--asterisk", "--minutes", "0.2", "--headless", "--phoners", "3")
    result = run(*words, "--config", str(ROOT / "config"))
    assert result.returncode == 0, result.stderr
    said = result.stdout.replace("\n", " ")
    rang = re.search(r"telephones that rang, as recorded at the trunk: (\d+)", said)
    assert rang is not None
    assert int(rang[1]) > 0
    assert "of them with neither a permit nor a confirmed line: 0" in said
