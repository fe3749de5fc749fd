"""`callserver asterisk …`: files and telephones, as an administrator types it."""

import shutil
import stat
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from callserver.cli import asterisk, deep_check, resources, users
from callserver.cli.free_ports import free_port
from callserver.database import accounts, seats
from callserver.database import softphones as kept
from callserver.database.tables import audit
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings, check_key
from tests.harness.commands import Say, commands
from tests.harness.exchange.real import ROOT, Called, Exchange


@pytest.fixture
def say(url: str, monkeypatch: pytest.MonkeyPatch) -> Say:
    for name, value in {
        "CALLSERVER_PROVIDER": "asterisk",
        "ASTERISK_PASSWORD": "a-password-of-ari",
        "ASTERISK_TRUNK": "sip:192.0.2.7",
        "ASTERISK_TRUNK_USER": "house",
        "ASTERISK_TRUNK_PASSWORD": "a-password-of-the-trunk",
        "ASTERISK_CERTIFICATE": "/etc/asterisk/keys/cert.pem",
        "ASTERISK_CERTIFICATE_KEY": "/etc/asterisk/keys/key.pem",
    }.items():
        monkeypatch.setenv(name, value)
    return commands(monkeypatch, url, asterisk, users)


def test_config_says_what_changes_and_keeps_its_secrets(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    shown = say("asterisk", "config", folder, "--dry-run")
    assert not folder.exists()
    assert "+type = endpoint" in shown
    assert "a-password" not in shown
    assert "password = •••" in shown
    say("asterisk", "config", folder)
    assert "password = a-password-of-ari" in (folder / "ari.conf").read_text()
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert "nothing has changed" in say("asterisk", "config", folder)


def test_config_changes_only_what_differs(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc"
    say("asterisk", "config", folder)
    (folder / "pjsip.conf").chmod(0o600)
    (folder / "own.conf").write_text("the house's own\n")
    monkeypatch.setenv("ASTERISK_NETWORKS", "10.1.0.0/16")
    monkeypatch.setenv("ASTERISK_PASSWORD", "another")
    monkeypatch.setenv("ASTERISK_RTP_PORTS", "12000-13000")
    said = say("asterisk", "config", folder)
    assert "+permit = 10.1.0.0/16" in said
    assert "ari.conf: a password" in said
    assert "another" not in said
    assert "must be restarted for rtp.conf" in said
    assert "extensions.conf" not in said
    assert stat.S_IMODE((folder / "pjsip.conf").stat().st_mode) == 0o600
    assert (folder / "own.conf").exists()


def test_config_keeps_the_numbers_of_former_campaigns(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One campaign is removed, another shows a new number: who was called before rings back."""
    folder, campaigns = tmp_path / "etc", tmp_path / "config/campaigns"
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.setenv("CALLSERVER_CONFIG", str(tmp_path / "config"))
    say("asterisk", "config", folder)
    (campaigns / "leads.yaml").unlink()
    changed = (campaigns / "kanvas.yaml").read_text().replace("+4532123400", "+4532123409")
    (campaigns / "kanvas.yaml").write_text(changed)
    for _ in range(2):
        say("asterisk", "config", folder)
        written = (folder / "extensions.conf").read_text()
        for number in ("+4532123400", "+4532123401", "+4532123409"):
            assert f"exten = {number},1,Stasis(callserver,inbound,{number})" in written


def test_the_settings_of_a_local_exchange_are_enough_to_serve(say: Say, tmp_path: Path) -> None:
    say("asterisk", "local", tmp_path)
    lines = (tmp_path / "env").read_text().splitlines()
    settings = Settings.model_validate(
        {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}
    )
    check_key(settings)
    assert settings.database == f"sqlite:///{tmp_path}/callserver.db"
    assert {settings.seals.parent, settings.seal_key.parent, settings.uploads.parent} == {tmp_path}


def test_a_setting_that_cannot_be_writes_nothing(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTERISK_RTP_PORTS", "many")
    with pytest.raises(ConfigurationProblem, match="ASTERISK_RTP_PORTS"):
        say("asterisk", "config", tmp_path / "etc")
    assert not (tmp_path / "etc").exists()


def test_a_telephones_password_is_shown_once_and_kept_nowhere(say: Say, engine: Engine) -> None:
    say("user", "add", "maja", "--department", "nord")
    shown = say("asterisk", "telephone", "maja")
    password = next(line.split()[1] for line in shown.splitlines() if line.startswith("password"))
    assert "line       sip:telephone_1, written into the account of maja" in shown
    assert "address    127.0.0.1:5061 (TLS, SRTP)" in shown
    with engine.connect() as tx:
        (row,) = kept.alive(tx, resources.now(tx))
        user = accounts.by_handle(tx, "maja")
        assert user is not None
        assert user.line == "sip:telephone_1"
        log = "".join(map(str, tx.execute(select(audit.c.body)).scalars()))
    assert row.name == "telephone_1"
    assert password not in str(row) + log
    say("user", "off-board", "maja")
    with engine.connect() as tx:
        assert kept.alive(tx, resources.now(tx)) == []
    with pytest.raises(ConfigurationProblem, match="no user"):
        say("asterisk", "telephone", "maja")


TWO = """
nord: {url: "http://127.0.0.1:9", address: 10.0.0.2}
syd: {url: "http://127.0.0.1:10", address: 10.0.0.3, sip_port: 5161}
"""


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two exchanges, neither of which answers."""
    (tmp_path / "exchanges.yaml").write_text(TWO, "utf-8")
    monkeypatch.setenv("ASTERISK_EXCHANGES", str(tmp_path / "exchanges.yaml"))


@pytest.mark.usefixtures("two")
def test_of_several_exchanges_a_telephone_signs_in_where_it_is_called_from(
    say: Say, engine: Engine
) -> None:
    """A phoner's at that of the seat, evenly and for good; a supervisor's at each."""
    for handle in ("maja", "ole"):
        say("user", "add", handle, "--department", "nord")
    say("user", "add", "else", "--role", "supervisor", "--department", "nord")
    at_nord, at_syd = (
        "10.0.0.2:5061 (TLS, SRTP, exchange nord)",
        "10.0.0.3:5161 (TLS, SRTP, exchange syd)",
    )
    for _ in range(2):
        shown = {handle: say("asterisk", "telephone", handle) for handle in ("maja", "ole", "else")}
        assert [handle for handle, said in shown.items() if at_nord in said] == ["maja", "else"]
        assert [handle for handle, said in shown.items() if at_syd in said] == ["ole", "else"]
    with engine.connect() as tx:
        pinned = [row.exchange for row in seats.every(tx)]
    assert pinned == ["nord", "syd"]


@pytest.mark.usefixtures("two")
def test_each_of_several_exchanges_is_checked_and_configured(say: Say, tmp_path: Path) -> None:
    said = say("asterisk", "check", ends=1)
    assert "does not answer at http://127.0.0.1:9" in said
    assert "does not answer at http://127.0.0.1:10" in said
    nord, syd = deep_check.run(resources.settings())["carrier"]
    assert (nord.partition(":")[0], syd.partition(":")[0]) == ("nord", "syd")
    say("asterisk", "config", tmp_path / "etc", "--exchange", "syd")
    assert "10.0.0.3" in (tmp_path / "etc" / "pjsip.conf").read_text("utf-8")
    with pytest.raises(ConfigurationProblem, match="there are: nord, syd"):
        say("asterisk", "config", tmp_path / "etc")


def test_check_says_that_nobody_is_there(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTERISK_URL", "http://127.0.0.1:9")
    with pytest.raises(ConfigurationProblem, match="does not answer"):
        say("asterisk", "check")


def test_check_and_reload_on_a_running_exchange(
    say: Say, exchange: tuple[Exchange, Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    running_, _ = exchange
    for name, value in running_.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ASTERISK_TRUNK_USER")
    monkeypatch.delenv("ASTERISK_TRUNK_PASSWORD")
    assert "the exchange is ready" in say("asterisk", "check")
    assert deep_check.run(resources.settings())["carrier"] == []
    said = say("asterisk", "config", running_.folder / "etc", "--reload")
    assert "nothing has changed" in said
    assert "read its configuration again" in said
    assert "restart" not in said
    monkeypatch.setenv("ASTERISK_SIP_PORT", str(free_port()))
    for _ in range(2):  # it is still true the second time, when no file differs any more
        said = say("asterisk", "config", running_.folder / "etc", "--reload")
        assert "Asterisk must be restarted: it still uses the former bind of transport" in said
        assert running_.environment["ASTERISK_SIP_PORT"] in said
    assert "a restart is needed" in say("asterisk", "check", ends=1)
    assert "a restart is needed" in deep_check.run(resources.settings())["carrier"][0]
    monkeypatch.setenv("ASTERISK_SIP_PORT", running_.environment["ASTERISK_SIP_PORT"])
    say("asterisk", "config", running_.folder / "etc", "--reload")
    monkeypatch.setenv("ASTERISK_PASSWORD", "guessed")
    assert "Asterisk refuses them" in say("asterisk", "check", ends=1)
