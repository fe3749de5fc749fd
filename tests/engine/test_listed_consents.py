"""A list's own columns for consent and for the date of the source, through the import to the gate's facts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from callserver.database import contacts as contact_rows
from callserver.database.store import AnyStore
from callserver.database.tables import contacts, marks
from callserver.domain.campaign import Campaign
from callserver.domain.facts import Scope
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from tests.harness.staffed import StaffedSystem

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
LIST = (
    "id;navn;mobil;samtykke dato;samtykketekst;kilde;kildedato\n"
    "L1;Anna Prøve;32200001;01-05-2026;version 3;gademøde;30-04-2026\n"
    "L2;Bo Bech;32200002;;;gademøde;\n"
    "L3;Ida Bech;32200003;01-06-2026;;gademøde;\n"
    "L4;Ulla Prøve;32200004;someday;;gademøde;\n"
)


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    system = StaffedSystem(tmp_path)
    campaign = system.server.ctx.rules.campaign("leads")
    system.close()
    return campaign


def test_a_list_brings_consents(store: AnyStore, campaign: Campaign) -> None:
    with store.engine.begin() as tx:
        summary = import_list(tx, campaign, LIST.encode(), NOW)
        given = tx.execute(select(marks.c.kind, marks.c.at, marks.c.detail)).all()
        # None of tomorrow, and none without a date.
        assert [(row.kind, row.at, row.detail) for row in given] == [
            (
                "consent_given",
                datetime(2026, 5, 1, tzinfo=UTC),
                {"phone": True, "proof": "version 3"},
            )
        ]
        assert summary.consents == 1
        assert [(row.line, row.reason) for row in summary.refused] == [(5, "not_a_date")]
        source = select(contacts.c.source).where(contacts.c.ref == "L1")
        assert tx.execute(source).scalar() == "gademøde (30-04-2026)"
        again = import_list(tx, campaign, LIST.encode(), NOW)
        assert (again.consents, again.unchanged) == (0, 3)


def test_a_listed_consent_ends_no_opt_out(store: AnyStore, campaign: Campaign) -> None:
    with store.engine.begin() as tx:
        import_list(tx, campaign, LIST.replace("01-05-2026", "").encode(), NOW)
        anna = contact_rows.by_number(tx, 4532200001)
        origin = Origin(by="user:1", at=NOW - timedelta(days=30))
        opt_outs.add(tx, [Scope.PERSON], None, anna, b"key", origin)
        assert import_list(tx, campaign, LIST.encode(), NOW).consents == 0
        assert tx.execute(select(marks)).all() == []
