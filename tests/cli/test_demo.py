"""What `callserver demo` does before it begins."""

from pathlib import Path

import pytest

from callserver.cli import demo
from callserver.cli.init import EXAMPLE
from callserver.cli.simulated_stack import DATABASE, StackPlan, listening, started
from callserver.database import accounts, training
from callserver.engine.training import standings
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx


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
