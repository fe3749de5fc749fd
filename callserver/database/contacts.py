"""Contacts: claiming the next one for a seat, and setting their status.

Claiming looks once per open place on a partial index of ready contacts, so it costs the same with
ten thousand contacts as with a million. Waiting contacts become ready when they are due.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Integer,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
    update,
)

from callserver.database.many_keys import among
from callserver.database.prepared_statements import Prepared, RowUpdate
from callserver.database.tables import campaign_places, contacts
from callserver.domain.call import DialPath
from callserver.domain.contact_status import ContactStatus
from callserver.ports import Tx


class Contact(NamedTuple):
    """One row of a campaign's list."""

    id: int
    campaign: str
    person: int
    household: int
    number: int
    place: str
    status: str
    reason: str | None
    next_at: datetime | None
    callback_for: datetime | None
    callback_phoner: int | None
    release_at: datetime | None
    tries: int
    tries_by_outcome: Mapping[str, int] | None
    ref: str | None
    name: str | None
    zone: str | None
    born: str | None
    member: bool
    last_gift: str | None
    ended: str | None
    source: str | None
    fields: Mapping[str, Any] | None
    row_refused: bool = False


NO_CALL_BACK = dict.fromkeys(("callback_for", "callback_phoner", "release_at"))
"""No agreed time. One that is over must not be kept: it would lift the calling hours when the carrier declines a dial of the
list, or what closed the contact is undone."""

COLUMNS = [contacts.c[name] for name in Contact._fields]
_with_id = select(*COLUMNS).where(contacts.c.id == bindparam("id"))
_by_id = Prepared(_with_id)
_by_id_locked = Prepared(_with_id.with_for_update())
_call_back = Prepared(
    select(*COLUMNS)
    .where(
        contacts.c.campaign == bindparam("campaign"),
        contacts.c.status == literal_column("'call_back'"),
        contacts.c.next_at <= bindparam("now"),
        (contacts.c.callback_phoner == bindparam("phoner"))
        | (contacts.c.release_at <= bindparam("now")),
    )
    .order_by(contacts.c.next_at)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_ready = Prepared(
    select(*COLUMNS)
    .where(
        contacts.c.campaign == bindparam("campaign"),
        contacts.c.place == bindparam("place"),
        contacts.c.status == literal_column("'ready'"),
    )
    .order_by(contacts.c.rank)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_rank = Prepared(select(contacts.c.rank).where(contacts.c.id == bindparam("id")))
_change = RowUpdate(contacts.c.id)
_set_claimed = Prepared(
    update(contacts)
    .where(contacts.c.id == bindparam("key"))
    .values(status=ContactStatus.CLAIMED, next_at=None)
)
_due = (
    select(contacts.c.id)
    .where(
        contacts.c.campaign == bindparam("key"),
        contacts.c.status == literal_column("'waiting'"),
        contacts.c.next_at <= bindparam("now"),
    )
    .with_for_update(skip_locked=True)  # a list that changes a thousand of them is not waited for
)
_promote = Prepared(
    update(contacts).where(contacts.c.id.in_(_due)).values(status=ContactStatus.READY, next_at=None)
)
_next_due = Prepared(
    union_all(
        select(
            literal_column("0", Integer).label("personal"), func.min(contacts.c.next_at).label("at")
        ).where(
            contacts.c.campaign == bindparam("campaign"),
            contacts.c.status == literal_column("'waiting'"),
        ),
        select(literal_column("1", Integer), func.min(contacts.c.next_at)).where(
            contacts.c.campaign == bindparam("campaign"),
            contacts.c.status == literal_column("'call_back'"),
            contacts.c.callback_phoner == bindparam("phoner"),
        ),
        select(literal_column("2", Integer), func.min(contacts.c.release_at)).where(
            contacts.c.campaign == bindparam("campaign"),
            contacts.c.status == literal_column("'call_back'"),
        ),
    )
)
_places = Prepared(
    select(campaign_places.c.place).where(campaign_places.c.campaign == bindparam("campaign"))
)


def places_of(tx: Tx, campaign: str) -> tuple[str, ...]:
    """The places of the campaign's contacts."""
    return tuple(place for (place,) in _places(tx, {"campaign": campaign}))


def get(tx: Tx, contact: int) -> Contact | None:
    row = _by_id(tx, {"id": contact}).one_or_none()
    return None if row is None else Contact._make(row)


def get_locked(tx: Tx, contact: int) -> Contact | None:
    row = _by_id_locked(tx, {"id": contact}).one_or_none()
    return None if row is None else Contact._make(row)


def by_number(tx: Tx, number: int, campaign: str | None = None) -> list[Contact]:
    """Every contact with this number, of one campaign or of all."""
    query = select(*COLUMNS).where(contacts.c.number == number).order_by(contacts.c.id)
    if campaign is not None:
        query = query.where(contacts.c.campaign == campaign)
    return [Contact._make(row) for row in tx.execute(query)]


def namespaces(tx: Tx) -> list[str]:
    """The systems whose references the contacts have; an empty name: none was named."""
    spaces = tx.execute(select(contacts.c.namespace).distinct()).scalars()
    return sorted({space or "" for space in spaces})


def of_person(tx: Tx, person: int) -> list[Contact]:
    """The person's contacts on every list."""
    query = select(*COLUMNS).where(contacts.c.person == person).order_by(contacts.c.id)
    return [Contact._make(row) for row in tx.execute(query)]


def beside(tx: Tx, known: Sequence[Contact]) -> list[Contact]:
    """Rows of other people with one of these numbers or households."""
    query = select(*COLUMNS).where(
        among(tx, contacts.c.number, {row.number for row in known})
        | among(tx, contacts.c.household, {row.household for row in known}),
        ~among(tx, contacts.c.person, {row.person for row in known}),
    )
    return [Contact._make(row) for row in tx.execute(query)]


def by_ids(tx: Tx, ids: Sequence[int]) -> dict[int, Contact]:
    """Contacts by their ids."""
    query = select(*COLUMNS).where(among(tx, contacts.c.id, ids))
    return {row.id: Contact._make(row) for row in tx.execute(query)}


def names(tx: Tx, ids: Sequence[int]) -> dict[int, str | None]:
    """The contacts' names, by id."""
    query = select(contacts.c.id, contacts.c.name).where(among(tx, contacts.c.id, ids))
    return {row.id: row.name for row in tx.execute(query)}


def claim(
    tx: Tx, campaign: str, open_places: Iterable[str], phoner: int, now: datetime
) -> tuple[Contact, DialPath] | None:
    """The next contact for this phoner, and by which path; marked as claimed.

    A call-back that is due comes first: the phoner's own, or one that was released to the team.
    """
    due = _call_back(tx, {"campaign": campaign, "now": now, "phoner": phoner}).one_or_none()
    if due is not None:
        return take(tx, Contact._make(due)), DialPath.CALL_BACK
    best: Contact | None = None
    best_rank = 0
    for place in open_places:
        row = _ready(tx, {"campaign": campaign, "place": place}).one_or_none()
        if row is None:
            continue
        candidate = Contact._make(row)
        if best is None:
            best = candidate
            continue
        best_rank = best_rank or _rank(tx, {"id": best.id}).scalar()
        rank = _rank(tx, {"id": candidate.id}).scalar()
        if rank < best_rank:
            best, best_rank = candidate, rank
    return None if best is None else (take(tx, best), DialPath.LIST)


def take(tx: Tx, contact: Contact) -> Contact:
    """Mark one contact as claimed."""
    _set_claimed(tx, {"key": contact.id})
    return contact


def promote(tx: Tx, campaign: str, now: datetime) -> int:
    """Make due waiting contacts ready again. Returns how many."""
    return _promote(tx, {"key": campaign, "now": now}).rowcount


def next_due(tx: Tx, campaign: str, phoner: int) -> dict[int, datetime]:
    """When something will be due: 0 a waiting contact, 1 an own call-back, 2 a released one."""
    rows = _next_due(tx, {"campaign": campaign, "phoner": phoner})
    return {kind: at for kind, at in rows if at is not None}


def ready_places(tx: Tx, campaign: str, among: Iterable[str]) -> tuple[str, ...]:
    """Those of the places where a contact is ready to be called."""
    return tuple(
        place
        for place in among
        if _ready(tx, {"campaign": campaign, "place": place}).first() is not None
    )


def set_status(
    tx: Tx,
    contact: int,
    status: str,
    *,
    reason: str | None = None,
    next_at: datetime | None = None,
    **more: Any,
) -> None:
    """Set a contact's status: ready, waiting (next_at), call_back, done or closed (reason)."""
    _change(tx, contact, {"status": status, "reason": reason, "next_at": next_at, **more})


def free_call_backs(tx: Tx, phoner: int) -> int:
    """Release this phoner's call-backs to the team. Returns how many."""
    return tx.execute(
        update(contacts)
        .where(contacts.c.status == ContactStatus.CALL_BACK, contacts.c.callback_phoner == phoner)
        .values(
            callback_phoner=None,
            # A list that gave another number has removed the agreed time: only when it is due stays.
            release_at=func.coalesce(contacts.c.callback_for, contacts.c.next_at),
        )
    ).rowcount


def call_backs_of(tx: Tx, phoner: int) -> int:
    """How many of this phoner's call-backs are still to come."""
    query = select(func.count()).where(
        contacts.c.status == ContactStatus.CALL_BACK, contacts.c.callback_phoner == phoner
    )
    return int(tx.execute(query).scalar_one())


def counts_by_status(tx: Tx) -> dict[str, dict[str, int]]:
    """Each campaign's contacts by status; from an index: about 100 ms for a million on SQLite."""
    query = select(contacts.c.campaign, contacts.c.status, func.count()).group_by(
        contacts.c.campaign, contacts.c.status
    )
    counts: dict[str, dict[str, int]] = {}
    for campaign, status, count in tx.execute(query):
        counts.setdefault(campaign, {})[status] = count
    return counts
