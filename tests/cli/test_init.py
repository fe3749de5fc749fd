"""`callserver init`: a folder in which every other command works at once."""

import os
import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from callserver.adapters import file_modes
from callserver.adapters.config_folder import load
from callserver.cli import init
from callserver.errors import ConfigurationProblem
from callserver.settings import check_key, from_environment


def run(*words: str) -> str:
    app = typer.Typer()
    init.register(app)
    before = os.umask(0o077)  # as the command sets it
    try:
        return CliRunner().invoke(app, list(words), catch_exceptions=False).output
    finally:
        os.umask(before)


def test_a_new_folder_is_complete_and_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("evening")
    assert "cd evening" in said
    monkeypatch.chdir(tmp_path / "evening")
    settings = from_environment()
    check_key(settings)
    assert len(settings.key) == 64
    assert settings.provider == "simulated"
    assert load(settings.config).campaigns.keys() >= {"kanvas", "opgradering"}
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("var").stat().st_mode) == 0o700
    assert file_modes.exposed(settings) == []
    assert Path("people.csv").read_text("utf-8").count("\n") > 100


def test_the_next_steps_are_the_readmes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    commands = readme.partition("```sh\ncallserver init evening\n")[2].partition("```")[0]
    monkeypatch.chdir(tmp_path)
    said = run("evening").partition("Next:\n")[2]
    assert [line.strip() for line in said.splitlines()] == commands.splitlines()


def test_each_folder_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = []
    for name in ("one", "two"):
        run(str(tmp_path / name))
        keys += [
            line
            for line in (tmp_path / name / ".env").read_text("utf-8").splitlines()
            if line.startswith("CALLSERVER_KEY=")
        ]
    assert len(set(keys)) == 2


@pytest.mark.parametrize("there", [".env", "config", "var", "people.csv"])
def test_nothing_that_exists_is_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("kept")
    with pytest.raises(ConfigurationProblem, match="nothing was changed"):
        run(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "kept"
