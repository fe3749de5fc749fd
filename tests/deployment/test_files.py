"""The example files of docs/deployment: as strict as they say, and naming only what there is."""

import re
import shutil
import subprocess
import tomllib
from configparser import ConfigParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from callserver.adapters.twilio.client import RETRIES
from callserver.adapters.twilio.speech import LANGUAGE, VOICE
from callserver.settings import Settings, variable

ROOT = Path(__file__).parents[2]
DEPLOYMENT = ROOT / "docs/deployment"
SERVICES = sorted(DEPLOYMENT.glob("*.service"))
SETTING = re.compile(r"\bCALLSERVER_[A-Z_]+")
OF_CADDY = {"CALLSERVER_SITE", "CALLSERVER_SERVERS"}


def ran(*words: object) -> str:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=60, check=False
    )
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def test_they_name_settings_that_there_are() -> None:
    known = {variable(name) for name in Settings.model_fields} | OF_CADDY
    for file in DEPLOYMENT.iterdir():
        assert set(SETTING.findall(file.read_text("utf-8"))) <= known, file.name


@pytest.mark.parametrize("service", SERVICES, ids=lambda file: file.name)
def test_units_are_right_and_hardened(service: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing")
    copy = tmp_path / service.name
    text = service.read_text("utf-8")
    copy.write_text(text.replace("/srv/callserver/venv/bin/callserver", "/bin/true"))
    assert ran("systemd-analyze", "verify", copy) == "0\n"
    exposure = ran("systemd-analyze", "security", "--offline=true", "--threshold=20", copy)
    assert exposure.startswith("0\n"), exposure


@pytest.mark.parametrize("service", SERVICES, ids=lambda file: file.name)
def test_a_unit_is_started_again_for_as_long_as_the_database_is_away(service: Path) -> None:
    """A server that starts meanwhile ends at once; systemd's own limit is five starts within ten seconds."""
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment]  # systemd's names have capitals
    unit.read_string(service.read_text("utf-8"))
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"].get("StartLimitIntervalSec") == "0"


def test_alert_rules_are_right() -> None:
    if not shutil.which("promtool"):
        pytest.skip("promtool is missing (apt-get install prometheus)")
    said = ran("promtool", "check", "rules", ROOT / "docs/monitoring/alerts.yaml")
    assert said.startswith("0\n"), said


def test_the_compose_file_names_what_it_defines() -> None:
    compose = yaml.safe_load((DEPLOYMENT / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    assert set(services) == {"database", "scheduler", "server", "proxy"}
    for service in services.values():
        assert service["logging"]["options"]["max-size"]
        for network in service["networks"]:
            assert network in compose["networks"]
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOYMENT / source).exists()
        assert set(service.get("depends_on", ())) <= set(services)
    build = services["server"]["build"]
    assert (DEPLOYMENT / build["context"] / build["dockerfile"]).is_file()
    assert (DEPLOYMENT / build["context"]).resolve() == ROOT
    assert "ports" not in services["server"]  # only the proxy is reached from outside
    assert "ports" not in services["database"]


def test_the_image_has_the_programs_that_a_backup_needs_and_not_older_than_the_database() -> None:
    """pg_dump refuses a server that is newer than itself."""
    image = (DEPLOYMENT / "Containerfile").read_text("utf-8").split("\nFROM ")[-1]
    client = re.search(r"postgresql-client-(\d+)", image)
    compose = yaml.safe_load((DEPLOYMENT / "compose.yaml").read_text("utf-8"))
    database = compose["services"]["database"]["image"].rpartition(":")[2]
    assert client is not None
    assert int(client[1]) >= int(database)


def test_the_image_has_the_extras_that_settings_need() -> None:
    """A server whose setting needs a missing package does not start, and nobody adds one to an image at night."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = set(project["optional-dependencies"]) - {"test", "mutation"}
    installed = re.search(r"\.whl\)\[([\w,]+)\]", (DEPLOYMENT / "Containerfile").read_text("utf-8"))
    assert installed is not None
    assert set(installed[1].split(",")) == extras


def test_the_image_copies_what_there_is() -> None:
    file = (DEPLOYMENT / "Containerfile").read_text("utf-8")
    words = {line.split()[0] for line in file.splitlines() if re.match(r"[A-Z]+ ", line)}
    assert {"FROM", "USER", "HEALTHCHECK", "CMD", "STOPSIGNAL"} <= words
    copied = re.findall(r"^COPY (?:--chown=\S+ )?([\w. ]+) \S+$", file, re.MULTILINE)
    assert copied
    assert all((ROOT / name).exists() for names in copied for name in names.split())


@pytest.mark.timeout(1200)
def test_the_image_is_built_where_there_is_a_builder() -> None:
    builders = (name for name in ("podman", "docker", "buildah") if shutil.which(name))
    builder = next((name for name in builders if ran(name, "info").startswith("0\n")), None)
    if builder is None:
        pytest.skip("no podman, docker or buildah that runs: the Containerfile was only read")
    image = DEPLOYMENT / "Containerfile"
    done = subprocess.run(
        [builder, "build", "-q", "-f", image, ROOT], capture_output=True, timeout=1100, check=False
    )
    if b"pull" in done.stderr or b"registry" in done.stderr:
        pytest.skip("the base image cannot be fetched")
    assert done.returncode == 0, done.stderr


def test_the_numbers_voice_url_is_repeated_as_the_servers_own_callbacks_are() -> None:
    """It is set by hand. Who calls back while a server restarts would hear Twilio's error, and could not opt out."""
    manual = (ROOT / "docs/running.md").read_text("utf-8")
    assert f"/twilio/voice/inbound{RETRIES}`" in manual


def test_the_fallback_for_a_stopped_server_is_said_as_the_server_says_its_own_sentences() -> None:
    """A language without a voice of it is read by whatever voice the carrier takes, or not at all."""
    manual = (ROOT / "docs/operating.md").read_text("utf-8")
    [given] = re.findall(r"```xml\n(.+?)```", manual, re.DOTALL)
    response = ET.fromstring(given)
    assert response.tag == "Response"
    [says] = response
    assert (says.tag, says.attrib) == ("Say", {"language": LANGUAGE, "voice": VOICE})
    assert len(says.text or "") > 20
