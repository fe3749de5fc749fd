"""Servers behind pgbouncer in transaction pooling: they work through it, or say why they do not when they start."""

from pathlib import Path

import pytest

from callserver.cli.free_ports import free_port
from callserver.database.engines import make_engine
from callserver.database.postgres import CONNECTIONS
from callserver.database.store import open_store
from callserver.ports import Tx
from tests.harness.databases import postgres_database
from tests.harness.places import Place
from tests.harness.pooler import pgbouncer
from tests.journeys.test_processes import EARS, several_servers

ON_THE_WAY = "leads through a pooler"


@pytest.mark.timeout(420)
async def test_an_evening_through_a_pooler(
    tmp_path: Path, postgres: str, postgres_url: str
) -> None:
    """Its connections are fewer than the servers', so each transaction may come to another one."""
    with pgbouncer(postgres) as pooler:
        await several_servers(
            tmp_path, postgres_url, seconds=10, pace=EARS, pooler=pooler.url(postgres_url)
        )


@pytest.mark.parametrize("tolerant", [False, True])
def test_a_pooler_in_the_place_of_the_database_is_refused(
    tmp_path: Path, postgres: str, postgres_url: str, tolerant: bool
) -> None:
    """Also one that was told to ignore the timeouts, and would accept the connection."""
    settings = ["ignore_startup_parameters = options"] if tolerant else []
    with pgbouncer(postgres, *settings) as pooler:
        place = Place(tmp_path, pooler.url(postgres_url))
        place.environment |= {"TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "TWILIO_AUTH_TOKEN": "word"}
        place.environment |= {"CALLSERVER_CLOCK": "", "CALLSERVER_PORT": str(free_port())}
        for words in (["serve"], ["scheduler"], ["migrate"], ["user", "list"]):
            done = place.run(*words)
            assert done.returncode == 2, words
            assert ON_THE_WAY in done.stderr, words
        assert ON_THE_WAY in place.run("check", "--deep").stdout


def test_a_pooler_before_another_database_is_refused(
    tmp_path: Path, postgres: str, postgres_url: str
) -> None:
    """And one that does not answer is named."""
    with pgbouncer(postgres) as pooler, postgres_database(postgres) as other:
        place = Place(tmp_path, postgres_url)
        place.environment |= {"CALLSERVER_PROVIDER": "simulated"}
        place.environment["CALLSERVER_POOLER"] = pooler.url(postgres_url)
        assert "another database" not in place.run("check", "--deep").stdout
        place.environment["CALLSERVER_POOLER"] = pooler.url(str(other))
        assert "another database" in place.run("check", "--deep").stdout
        place.environment |= {"TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "TWILIO_AUTH_TOKEN": "word"}
        place.environment |= {"CALLSERVER_CLOCK": "", "CALLSERVER_PROVIDER": "twilio"}
        done = place.run("scheduler")
        assert done.returncode == 2
        assert "another database" in done.stderr
    place.environment["CALLSERVER_PROVIDER"] = "simulated"
    said = place.run("check", "--deep").stdout
    assert "CALLSERVER_POOLER: cannot be used: connection failed" in said
    place.use("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    said = place.run("check", "--deep").stdout
    assert "database: cannot be used: connection failed" in said
    assert "CALLSERVER_POOLER" not in said


def test_statement_pooling_is_named(tmp_path: Path, postgres: str, postgres_url: str) -> None:
    """It answers, and takes no transaction: who reads that it does not answer would look at the network."""
    with pgbouncer(postgres, "pool_mode = statement") as pooler:
        place = Place(tmp_path, postgres_url)
        place.environment |= {"CALLSERVER_PROVIDER": "simulated"}
        place.environment["CALLSERVER_POOLER"] = pooler.url(postgres_url)
        said = place.run("check", "--deep").stdout
        assert "CALLSERVER_POOLER: cannot be used: " in said
        assert "not allowed in statement pooling mode" in said


async def test_each_transaction_has_its_timeouts_and_leaves_none(
    postgres: str, postgres_url: str
) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with pgbouncer(postgres) as pooler:
        store = open_store(postgres_url, pooler=pooler.url(postgres_url))
        own = make_engine(postgres_url, server=True)

        def shown(tx: Tx) -> list[str]:
            return [str(tx.exec_driver_sql(f"SHOW {name}").scalar()) for name in names]

        for _ in range(3 * CONNECTIONS):
            assert await store.run(shown) == ["10s", "5s", "10s"]
            assert await store.peek(shown) == ["0", "0", "0"]
        with own.begin() as tx:
            assert shown(tx) == ["10s", "5s", "10s"]
        own.dispose()
        store.close()
