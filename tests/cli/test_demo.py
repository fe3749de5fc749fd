"""What `callserver demo` does before it begins."""

from pathlib import Path

import pytest

from callserver.cli import demo
from callserver.cli.simulated_stack import DATABASE, listening
from callserver.errors import ConfigurationProblem


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
