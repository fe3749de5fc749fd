"""The places of each campaign's contacts. A contact in a place that is not among them is never claimed."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import select

from callserver.database.bulk_facts import CHUNK
from callserver.database.tables import campaign_places, contacts
from callserver.database.upserts import INSERTS
from callserver.ports import Tx


def add(tx: Tx, campaign: str, places: Iterable[str]) -> None:
    values = [{"campaign": campaign, "place": place} for place in sorted(places)]
    if not values:
        return
    tx.execute(INSERTS[tx.dialect.name](campaign_places).on_conflict_do_nothing(), values)


def add_those_of(tx: Tx, changed: Collection[int]) -> None:
    """The places of these contacts, each to the campaign that has the contact."""
    keys, places = sorted(changed), defaultdict[str, set[str]](set)
    query = select(contacts.c.campaign, contacts.c.place).distinct()
    for at in range(0, len(keys), CHUNK):
        for campaign, place in tx.execute(query.where(contacts.c.id.in_(keys[at : at + CHUNK]))):
            places[campaign].add(place)
    for campaign in sorted(places):
        add(tx, campaign, places[campaign])
