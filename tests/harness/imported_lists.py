"""Lists taken into campaigns of the example configuration, and the contacts that they made."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from callserver.adapters.config_folder import load
from callserver.database.tables import contacts
from callserver.domain.campaign import Campaign
from callserver.engine.lists.importer import import_list
from callserver.engine.lists.summary import Summary

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
RULES = load(Path(__file__).parents[2] / "config")
KANVAS = RULES.campaigns["kanvas"]
AFMELDTE = RULES.campaigns["afmeldte"]  # ordered by ended, freshest first
LEADS = RULES.campaigns["leads"]


def take(engine: Engine, text: str | bytes, campaign: Campaign = KANVAS, **more: Any) -> Summary:
    raw = text if isinstance(text, bytes) else text.encode()
    with engine.begin() as tx:
        return import_list(tx, campaign, raw, NOW, **more)


def rows(engine: Engine, *columns: str) -> list[tuple[Any, ...]]:
    with engine.connect() as tx:
        query = select(*[contacts.c[name] for name in columns]).order_by(contacts.c.rank)
        return [tuple(row) for row in tx.execute(query)]
