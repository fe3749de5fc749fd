"""The file that names several exchanges."""

from pathlib import Path

import pytest

from callserver.adapters import file_modes
from callserver.adapters.asterisk.exchange_file import exchanges, named
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

TWO = """
nord: {url: "http://10.0.0.2:8088", sip_port: 5161}
syd: {url: "http://10.0.0.3:8088", password: another, secure: no}
"""


def settings(folder: Path, content: str) -> Settings:
    file = folder / "exchanges.yaml"
    file.write_text(content, "utf-8")
    return Settings(
        public_url="https://call.example",
        asterisk_password="shared",
        asterisk_exchanges=str(file),
    )


def test_without_a_file_there_is_one_without_a_name() -> None:
    one = Settings(asterisk_password="word")
    assert exchanges(one) == {"": one}
    assert named(one, "") is one
    with pytest.raises(ConfigurationProblem, match="no exchange 'nord'"):
        named(one, "nord")


def test_each_has_its_own_settings_and_the_common_ones(tmp_path: Path) -> None:
    each = exchanges(settings(tmp_path, TWO))
    assert list(each) == ["nord", "syd"]
    nord, syd = each.values()
    assert (nord.asterisk_password, syd.asterisk_password) == ("shared", "another")
    assert (nord.asterisk_sip_port, syd.asterisk_sip_port) == (5161, 5061)
    assert (nord.asterisk_secure, syd.asterisk_secure) == (True, False)
    assert nord.asterisk_softphone_url == "wss://call.example/ws/nord"
    assert named(settings(tmp_path, TWO), "syd") == syd
    with pytest.raises(ConfigurationProblem, match="there are: nord, syd"):
        named(settings(tmp_path, TWO), "")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "should be a YAML file with the name of each exchange"),
        ("- nord", "should be a YAML file"),
        ("nord: [", "exchanges.yaml"),
        ("Nord/1: {url: 'http://10.0.0.2'}", "short name"),
        ("nord: yes", "nord: a value is no setting"),
        ("nord: {urll: 'http://10.0.0.2'}", "nord: urll is no setting"),
        ("nord: {exchanges: other.yaml}", "nord: exchanges is no setting"),
        ("nord: {sip_port: many}", "nord: cannot be used: .*sip_port"),
        ("nord: {}\nsyd: {}", "a url of its own"),
        (
            "{nord: {url: 'http://a', softphone_url: w}, syd: {url: 'http://b', softphone_url: w}}",
            "a softphone_url of its own",
        ),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(ConfigurationProblem, match=why):
        exchanges(settings(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblem, match="nowhere"):
        exchanges(Settings(asterisk_exchanges=str(tmp_path / "nowhere.yaml")))


def test_a_file_that_others_can_read_is_reported(tmp_path: Path) -> None:
    """It may hold passwords."""
    given = settings(tmp_path, TWO)
    file = Path(given.asterisk_exchanges)
    for mode, is_reported in ((0o644, True), (0o600, False)):
        file.chmod(mode)
        assert (file in [exposed.path for exposed in file_modes.exposed(given)]) is is_reported
