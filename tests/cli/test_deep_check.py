"""`callserver check --deep`: each thing broken by itself is found, and a sound house has no problem."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import respx
import typer
from sqlalchemy import make_url
from typer.testing import CliRunner

from callserver.adapters.clock import SystemClock
from callserver.cli import configuration, deep_check
from callserver.database import audit, migrate
from callserver.database.engines import make_engine
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.sealing import load_key
from callserver.settings import Settings
from tests.harness.databases import another_user, reading_only, sqlite_file
from tests.harness.exchange.kamailio import certificate
from tests.harness.simulated import SimulatedSystem, in_a_talk

ROOT = Path(__file__).parents[2]
ACCOUNT = "AC" + "1" * 32
SHOWN = [f"+453212340{number}" for number in range(5)]
BASE = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"


def sound(folder: Path, **more: Any) -> Settings:
    return Settings(
        database=sqlite_file(folder / "system.db"),
        config=ROOT / "config",
        seals=folder / "seals.jsonl",
        uploads=folder / "uploads",
        messages=folder / "messages",
        provider="simulated",
    ).model_copy(update=more)


def wrong(settings: Settings) -> dict[str, list[str]]:
    return {name: warnings for name, warnings in deep_check.run(settings).items() if warnings}


def test_nothing_is_wrong(tmp_path: Path) -> None:
    assert wrong(sound(tmp_path)) == {}


def test_a_damaged_page(tmp_path: Path) -> None:
    settings = sound(tmp_path)
    file = tmp_path / "system.db"
    data = bytearray(file.read_bytes())
    for page in range(4, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    file.write_bytes(data)
    assert "database" in wrong(settings)


async def test_a_sealing_key_that_is_gone(tmp_path: Path) -> None:
    """A running server has it in memory: its operator would learn of it at the next start."""
    system = await in_a_talk_and_sealed(tmp_path)
    settings = system.server.settings.model_copy(update={"clock": "a simulated one"})
    assert "key" not in await asyncio.to_thread(wrong, settings)
    settings.seal_key.unlink()
    [problem] = (await asyncio.to_thread(wrong, settings))["key"]
    assert "is missing, and the log was sealed with it" in problem
    settings.seal_key.with_suffix(".pub").rename(tmp_path / "elsewhere")
    load_key(settings.seal_key)
    [problem] = (await asyncio.to_thread(wrong, settings))["key"]
    assert "sealed with another key" in problem
    system.close()


async def in_a_talk_and_sealed(folder: Path) -> SimulatedSystem:
    system = SimulatedSystem(folder)
    await in_a_talk(system)
    await system.pass_time(10)
    return system


def test_a_folder_for_the_published_log_that_takes_no_files(tmp_path: Path) -> None:
    """It may be on a disk of its own."""
    (tmp_path / "elsewhere").write_text("a file is in its place")
    [problem] = wrong(sound(tmp_path, published=tmp_path / "elsewhere"))["folders"]
    assert "(published log) takes no files" in problem


def test_heads_that_this_user_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restore by root, for instance."""
    settings = sound(tmp_path)
    settings.seals.write_text("")
    monkeypatch.setattr("os.access", lambda place, _: place != settings.seals)
    [problem] = wrong(settings)["folders"]
    assert "cannot be written by this user" in problem


def test_a_database_that_this_user_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sound(tmp_path)
    monkeypatch.setattr("os.access", lambda place, _: place != tmp_path / "system.db")
    [problem] = wrong(settings)["folders"]
    assert "system.db cannot be written by this user" in problem


def test_tables_of_an_older_version(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/old.db")
    engine.connect().close()
    engine.dispose()
    [problem] = wrong(sound(tmp_path, database=f"sqlite:///{tmp_path}/old.db"))["database"]
    assert "callserver migrate" in problem


@pytest.mark.parametrize("value", ["off", "local"])
def test_commits_that_a_crash_may_take_back(
    tmp_path: Path, empty_postgres_url: str, value: str
) -> None:
    engine = make_engine(empty_postgres_url)
    migrate.upgrade(engine)
    settings = sound(tmp_path, database=empty_postgres_url)
    assert wrong(settings) == {}
    with engine.begin() as tx:
        tx.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET synchronous_commit = {value}")
    engine.dispose()
    [problem] = wrong(settings)["database"]
    assert f"synchronous_commit is {value}" in problem


def test_a_database_that_only_reads(tmp_path: Path, postgres_url: str) -> None:
    settings = sound(tmp_path, database=postgres_url)
    with reading_only(postgres_url):
        [problem] = wrong(settings)["database"]
    assert "only reads" in problem
    assert wrong(settings) == {}


def test_a_database_that_cannot_be_used_is_told_with_the_reason(
    tmp_path: Path, postgres_url: str
) -> None:
    elsewhere = make_url(postgres_url).set(database="nowhere")
    url = elsewhere.render_as_string(hide_password=False)
    [problem] = wrong(sound(tmp_path, database=url))["database"]
    assert 'database "nowhere" does not exist' in problem


@pytest.mark.parametrize("rights", [(), ("SELECT",), ("SELECT", "INSERT", "UPDATE")])
def test_a_user_of_the_database_that_lacks_rights(
    tmp_path: Path, postgres_url: str, rights: tuple[str, ...]
) -> None:
    """After a restore by another user, for instance: everything is there, and nothing can be saved."""
    with another_user(postgres_url, *rights) as url:
        problems = wrong(sound(tmp_path, database=url))["database"]
    assert "lacks rights to read and write alarm_notices, " in problems[0]


def test_a_folder_that_takes_no_files(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("a file is in its place")
    [problem] = wrong(sound(tmp_path))["folders"]
    assert "uploads" in problem


def test_a_clock_behind_the_log(tmp_path: Path) -> None:
    settings = sound(tmp_path)
    engine = make_engine(settings.database)
    with engine.begin() as tx:
        audit.append(tx, datetime.now(UTC) + timedelta(minutes=5), EntryKind.CLOCK, ms=1)
    engine.dispose()
    [problem] = wrong(settings)["clock"]
    assert "behind the log" in problem


def test_a_clock_that_is_not_that_of_postgresql(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sound(tmp_path, database=postgres_url)
    assert wrong(settings) == {}
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + timedelta(hours=1))
    [problem] = wrong(settings)["clock"]
    assert "differ by 3600 s" in problem


async def test_another_key_than_that_of_the_calls(tmp_path: Path) -> None:
    """On another machine, with a new .env: nobody who was erased would be recognised."""
    system = SimulatedSystem(tmp_path)
    await in_a_talk(system)
    system.close()
    settings = sound(tmp_path, database=str(system.server.store.engine.url))
    key = system.server.settings.key
    assert "key" not in wrong(settings.model_copy(update={"key": key}))
    [problem] = wrong(settings.model_copy(update={"key": "another key, long enough"}))["key"]
    assert "Put the former key back" in problem


def test_certificates(tmp_path: Path) -> None:
    certificate(tmp_path, "exchange", "127.0.0.1")  # it ends tomorrow
    settings = sound(
        tmp_path,
        public_url="https://127.0.0.1:9",
        provider="asterisk",
        asterisk_certificate=str(tmp_path / "exchange.pem"),
    )
    unreachable, ending = wrong(settings)["certificates"]
    assert "cannot be reached by TLS" in unreachable
    assert "the certificate ends on" in ending


def numbers(*given: str) -> dict[str, Any]:
    return {"incoming_phone_numbers": [{"phone_number": number} for number in given], "page": 0}


@respx.mock
@pytest.mark.parametrize(
    ("account", "headers", "shown", "expected"),
    [
        (httpx.Response(200, json={"status": "active"}), {}, SHOWN, []),
        (
            httpx.Response(401, json={"code": 20003}),
            {},
            [],
            ["TWILIO_AUTH_TOKEN: Twilio refuses them"],
        ),
        (
            httpx.Response(200, json={"status": "suspended"}),
            {},
            SHOWN,
            ["the account is suspended"],
        ),
        (
            httpx.Response(200, json={"status": "active"}),
            {"date": "Tue, 12 May 2026 15:00:00 GMT"},
            SHOWN,
            ["our clock and Twilio's differ"],
        ),
        (
            httpx.Response(200, json={"status": "active"}),
            {},
            SHOWN[1:],
            ["+4532123400 is shown by a campaign"],
        ),
    ],
)
def test_the_account_at_twilio(
    tmp_path: Path,
    account: httpx.Response,
    headers: dict[str, str],
    shown: list[str],
    expected: list[str],
) -> None:
    account.headers.update(headers)
    respx.get(f"{BASE}.json").mock(return_value=account)
    respx.get(f"{BASE}/IncomingPhoneNumbers.json").respond(json=numbers(*shown))
    respx.get(f"{BASE}/OutgoingCallerIds.json").respond(json={"outgoing_caller_ids": []})
    settings = sound(tmp_path, provider="twilio", account_sid=ACCOUNT, auth_token="word")
    warnings = wrong(settings).get("carrier", [])
    assert len(warnings) == len(expected)
    assert all(words in problem for words, problem in zip(expected, warnings, strict=True))


@respx.mock
@pytest.mark.parametrize(
    ("secret", "region", "host", "expected"),
    [
        ("right", "", "api.twilio.com", []),
        ("wrong", "", "api.twilio.com", ["TWILIO_API_KEY and TWILIO_API_SECRET: Twilio refuses"]),
        ("right", "ie1", "api.dublin.ie1.twilio.com", []),
    ],
)
def test_twilio_is_asked_where_and_as_whom_orders_go(
    tmp_path: Path, secret: str, region: str, host: str, expected: list[str]
) -> None:
    """A key's secret that is wrong stops every order; a region has an address and credentials of its own."""
    base = f"https://{host}/2010-04-01/Accounts/{ACCOUNT}"
    by_token, by_key = (
        {"authorization": aiohttp.encode_basic_auth(name, word)}
        for name, word in ((ACCOUNT, "word"), ("SK" + "2" * 32, "right"))
    )
    respx.get(f"{base}.json", headers=by_token).respond(json={"status": "active"})
    respx.get(f"{base}/IncomingPhoneNumbers.json", headers=by_token).respond(json=numbers(*SHOWN))
    respx.get(f"{base}/OutgoingCallerIds.json", headers=by_token).respond(json={})
    respx.get(f"{base}/Conferences.json", headers=by_key).respond(json={"conferences": []})
    respx.route().respond(401)
    settings = sound(
        tmp_path,
        provider="twilio",
        account_sid=ACCOUNT,
        auth_token="word",
        api_key="SK" + "2" * 32,
        api_secret=secret,
        region=region,
        edge=region and "dublin",
    )
    warnings = wrong(settings).get("carrier", [])
    assert len(warnings) == len(expected), warnings
    assert all(words in problem for words, problem in zip(expected, warnings, strict=True))


@respx.mock
@pytest.mark.parametrize(
    ("account", "listed", "words"),
    [
        (httpx.Response(200, text="<html>"), httpx.Response(200), "does not answer as Twilio does"),
        (httpx.Response(403, text="<html>"), httpx.Response(200), "does not answer as Twilio does"),
        (httpx.Response(407), httpx.Response(200), "does not answer as Twilio does"),
        (
            httpx.Response(200, json={"status": "active"}),
            httpx.Response(503),
            "HTTP 503 when asked for IncomingPhoneNumbers",
        ),
    ],
)
def test_what_is_not_twilios_answer_says_nothing_about_the_account(
    tmp_path: Path, account: httpx.Response, listed: httpx.Response, words: str
) -> None:
    respx.get(f"{BASE}.json").mock(return_value=account)
    respx.get(f"{BASE}/IncomingPhoneNumbers.json").mock(return_value=listed)
    settings = sound(tmp_path, provider="twilio", account_sid=ACCOUNT, auth_token="word")
    [problem] = wrong(settings)["carrier"]
    assert words in problem


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = sound(tmp_path)
    (tmp_path / "uploads").write_text("a file is in its place")
    for name in ("database", "config", "seals", "uploads", "messages", "provider"):
        monkeypatch.setenv(f"CALLSERVER_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("CALLSERVER_KEY", "a key for the tests alone")
    (tmp_path / "system.db").chmod(0o600)
    app = typer.Typer()
    configuration.register(app)
    (tmp_path / "uploads").chmod(0o600)
    plain = CliRunner().invoke(app, ["check", "--deep"])
    assert plain.exit_code == 2, plain.output
    assert "database: ok" in plain.output
    assert "  ! " in plain.output
    as_json = CliRunner().invoke(app, ["check", "--deep", "--json"])
    assert as_json.exit_code == 2
    assert json.loads(as_json.output)["deep"]["folders"]
    (tmp_path / "system.db").chmod(0o644)  # another problem, of which a plain check tells
    for words in (["--deep"], ["--deep", "--json"]):
        both = CliRunner().invoke(app, ["check", *words])
        assert both.exit_code == 2
        assert "chmod 0600" in both.output
        assert "takes no files" in both.output
