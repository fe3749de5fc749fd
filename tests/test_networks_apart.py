"""Real calls and invented ones never share a database, and real people are called by the real time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from callserver.assemble import build
from callserver.database.engines import make_engine
from callserver.database.tables import calls
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

ROOT = Path(__file__).parents[1]
LOOPBACK = "http://127.0.0.1:1"
NOON = "2026-05-12T12:00:00+02:00"


def started(folder: Path, **settings: Any) -> None:
    """A server is made, and closed again."""
    chosen = Settings(
        database=f"sqlite:///{folder}/c.db",
        config=ROOT / "config",
        key="a key for the tests alone",
        account_sid="AC1",
        auth_token="token",
        seal_key=folder / "seal.key",
        seals=folder / "seals.jsonl",
        uploads=folder / "uploads",
        messages=folder / "messages",
        **settings,
    )
    build(chosen, inline=True).store.close()


def test_what_a_simulated_network_made_up_is_no_basis_for_real_calls(tmp_path: Path) -> None:
    started(tmp_path, provider="simulated", api_url=LOOPBACK)
    started(tmp_path, provider="simulated", api_url=LOOPBACK)
    with pytest.raises(ConfigurationProblem, match="CALLSERVER_DATABASE was used with the sim"):
        started(tmp_path)


def test_a_simulated_network_stays_away_from_real_calls(tmp_path: Path) -> None:
    started(tmp_path)
    engine = make_engine(f"sqlite:///{tmp_path}/c.db")
    ids = dict.fromkeys(("number", "person", "household", "seat", "phoner"), 1)
    texts = dict.fromkeys(("attempt", "campaign", "path", "caller_id", "room", "revision"), "x")
    with engine.begin() as tx:
        tx.execute(insert(calls).values(**ids, **texts, state="ended", permit_at=datetime.now(UTC)))
    engine.dispose()
    with pytest.raises(ConfigurationProblem, match="CALLSERVER_DATABASE holds real calls"):
        started(tmp_path, provider="simulated", api_url=LOOPBACK)


def test_only_serve_runs_the_simulated_network(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblem, match="CALLSERVER_PROVIDER"):
        started(tmp_path, provider="simulated")


@pytest.mark.parametrize("network", [{}, {"api_url": "https://twilio.example.org"}])
def test_real_people_are_called_by_the_real_time(tmp_path: Path, network: Any) -> None:
    with pytest.raises(ConfigurationProblem, match="CALLSERVER_CLOCK must not be set"):
        started(tmp_path, clock=NOON, **network)
    started(tmp_path, clock=NOON, api_url=LOOPBACK)
