"""Prepared statements: rows, changed rows and returned columns; the driver describes nothing, which is slow."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, insert, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.store import AnyStore
from callserver.database.tables import campaign_places as table


def described(_: Any) -> None:
    raise AssertionError("psycopg describes every column of the result")


def test_each_kind_of_statement(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Prepared(insert(table).values(campaign=bindparam("campaign"), place=bindparam("place")))
    returned = Prepared(
        insert(table)
        .values(campaign=bindparam("campaign"), place=bindparam("place"))
        .returning(table.c.place)
    )
    moved = Prepared(
        update(table).where(table.c.campaign == bindparam("was")).values(campaign=bindparam("new"))
    )
    places = select(table.c.place).where(table.c.campaign == bindparam("campaign"))
    with store.engine.begin() as tx, monkeypatch.context() as patched:
        patched.setattr(psycopg.Cursor, "description", property(described))
        assert added(tx, {"campaign": "a", "place": "here"}).all() == ()
        assert returned(tx, {"campaign": "a", "place": "there"}).scalar() == "there"
        assert moved(tx, {"was": "a", "new": "b"}).rowcount == 2
        rows = Prepared(places.order_by(table.c.place))(tx, {"campaign": "b"})
        assert [tuple(row) for row in rows] == [("here",), ("there",)]
        assert rows.rowcount == 2
        both = Prepared(places.union_all(places))(tx, {"campaign": "b"})
        assert both.rowcount == 4
        assert Prepared(places)(tx, {"campaign": "a"}).scalar() is None
