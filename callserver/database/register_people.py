"""Who of our lists was compared with registers of names and addresses, and what colleagues decided."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, delete, exists, func, literal, select, text

from callserver.database.many_keys import among
from callserver.database.register_records import PEOPLE
from callserver.database.tables import (
    contact_addresses,
    contacts,
    imports,
    register_decisions,
    register_matches,
    registers,
)
from callserver.database.upserts import INSERTS
from callserver.domain import heading_words
from callserver.domain.addresses import is_no_address
from callserver.domain.contact_status import ContactStatus
from callserver.domain.reason import Reason
from callserver.domain.register_match import Match, Person
from callserver.ports import Tx

COMPARING_LOCK = 4_520_000_002
"""Held on PostgreSQL while names or addresses change, or results are stored."""

_TOGETHER = 1_000
"""Keys in one statement."""


def lock_comparing(tx: Tx) -> None:
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({COMPARING_LOCK})")


def last_import(tx: Tx) -> int:
    """Changes whenever names or addresses may have changed."""
    return int(tx.execute(select(func.max(imports.c.id))).scalar() or 0)


_here = and_(
    contact_addresses.c.person == contacts.c.person,
    contact_addresses.c.campaign == contacts.c.campaign,
)


class ListedPerson(NamedTuple):
    """A person on one campaign's list."""

    contact: int
    campaign: str
    member: bool
    person: Person


def rows_of(tx: Tx, persons: Sequence[int]) -> dict[int, list[ListedPerson]]:
    """Names and addresses of these persons on every list; erased ones have none."""
    rows: dict[int, list[ListedPerson]] = {person: [] for person in persons}
    query = (
        select(
            contacts.c.person,
            contacts.c.id,
            contacts.c.campaign,
            contacts.c.member,
            contacts.c.name,
            contacts.c.fields,
            contact_addresses.c.person.is_not(None),
            contact_addresses.c.address,
            contact_addresses.c.postcode,
        )
        .outerjoin(contact_addresses, _here)
        .where(contacts.c.person.in_(list(persons)))
        .order_by(contacts.c.id)
    )
    for person, contact, campaign, member, name, fields, is_known, address, postcode in tx.execute(
        query
    ):
        own = Person(name or "", address or "", postcode or "")
        if not is_known:
            own = Person(name or "", *_from_fields(fields or {}))
        rows[person].append(ListedPerson(contact, campaign, member, own))
    return rows


def _from_fields(fields: Mapping[str, str]) -> tuple[str, str]:
    """The address of a contact that was imported before addresses were stored apart."""
    by_field = {heading_words.field(heading): text for heading, text in fields.items()}
    address = by_field.get("address", "")
    return "" if is_no_address(address) else address, by_field.get("postcode", "")


def take_addresses(tx: Tx, campaign: str, imported: int, *, has_addresses: bool) -> None:
    """Addresses of the staged rows; a person who is new or has another one is to be compared again.

    A new address without a postcode has none, rather than the old one; and the other way round.
    """
    if _is_anything_compared(tx):
        differ = "IS NOT" if tx.dialect.name == "sqlite" else "IS DISTINCT FROM"
        again = text(
            "SELECT s.person FROM staged s"
            " JOIN contacts c ON c.person = s.person AND c.campaign = :campaign"
            " LEFT JOIN contact_addresses a ON a.person = s.person AND a.campaign = :campaign"
            " WHERE c.imported = :imported"
            f" OR (s.address IS NOT NULL AND s.address {differ} a.address)"
            f" OR (s.postcode IS NOT NULL AND s.postcode {differ} a.postcode)"
        )
        values = {"campaign": campaign, "imported": imported}
        forget_results(tx, set(tx.execute(again, values).scalars()))
    if not has_addresses:
        return
    old = "contact_addresses"
    tx.execute(
        text(
            f"INSERT INTO {old} (person, campaign, address, postcode)"
            " SELECT person, :campaign, address, postcode FROM staged"
            " WHERE address IS NOT NULL OR postcode IS NOT NULL ORDER BY person"
            " ON CONFLICT (person, campaign) DO UPDATE SET"
            " address = CASE WHEN excluded.address IS NOT NULL THEN excluded.address"
            f" WHEN excluded.postcode <> {old}.postcode THEN NULL ELSE {old}.address END,"
            " postcode = CASE WHEN excluded.postcode IS NOT NULL THEN excluded.postcode"
            f" WHEN excluded.address <> {old}.address THEN NULL ELSE {old}.postcode END"
        ),
        {"campaign": campaign},
    )


def persons_of(tx: Tx, contact_ids: Collection[int]) -> set[int]:
    """The persons of these contacts."""
    wanted, persons = sorted(contact_ids), set[int]()
    for at in range(0, len(wanted), _TOGETHER):
        query = select(contacts.c.person).where(contacts.c.id.in_(wanted[at : at + _TOGETHER]))
        persons |= set(tx.execute(query).scalars())
    return persons


def _is_anything_compared(tx: Tx) -> bool:
    return tx.execute(select(register_matches.c.person).limit(1)).first() is not None


def unmatched(tx: Tx, version: int, after: int, most: int) -> list[int]:
    """Persons who have not been compared with the issue, in their order."""
    is_theirs = and_(
        register_matches.c.version == version, register_matches.c.person == contacts.c.person
    )
    query = (
        select(contacts.c.person)
        .outerjoin(register_matches, is_theirs)
        .where(contacts.c.person > after, register_matches.c.person.is_(None))
        .group_by(contacts.c.person)
        .order_by(contacts.c.person)
        .limit(most)
    )
    return list(tx.execute(query).scalars())


# -- results -----------------------------------------------------------------------------------------


def keep(tx: Tx, version: int, results: Mapping[int, Match]) -> None:
    """Results of persons who have none."""
    values = [
        {"version": version, "person": person, "result": result.value}
        for person, result in results.items()
    ]
    if values:
        statement = INSERTS[tx.dialect.name](register_matches).on_conflict_do_nothing()
        tx.execute(statement, values)


def forget_results(tx: Tx, persons: Collection[int]) -> None:
    """The persons have to be compared again, with every issue."""
    wanted = sorted(persons)
    for at in range(0, len(wanted), _TOGETHER):
        tx.execute(
            delete(register_matches).where(
                register_matches.c.version.in_(select(registers.c.version)),
                register_matches.c.person.in_(wanted[at : at + _TOGETHER]),
            )
        )


def unsure(tx: Tx, version: int, after: int, most: int) -> list[int]:
    query = (
        select(register_matches.c.person)
        .where(
            register_matches.c.version == version,
            register_matches.c.result == literal(Match.UNSURE.value, literal_execute=True),
            register_matches.c.person > after,
        )
        .order_by(register_matches.c.person)
        .limit(most)
    )
    return list(tx.execute(query).scalars())


def tally(tx: Tx, version: int) -> dict[Match, int]:
    """How many persons have which result."""
    query = (
        select(register_matches.c.result, func.count())
        .where(register_matches.c.version == version)
        .group_by(register_matches.c.result)
    )
    return {Match(result): count for result, count in tx.execute(query)}


def no_longer_unsure(tx: Tx) -> list[int]:
    """Contacts that were closed because it was unsure whether they are on a register, and is not now."""
    still = (
        select(literal(1))
        .select_from(
            registers.outerjoin(
                register_matches,
                and_(
                    register_matches.c.version == registers.c.version,
                    register_matches.c.person == contacts.c.person,
                ),
            )
        )
        .where(
            registers.c.active,
            registers.c.kind == PEOPLE,
            func.coalesce(register_matches.c.result, Match.UNSURE.value) == Match.UNSURE.value,
        )
        .correlate(contacts)
    )
    query = select(contacts.c.id).where(
        contacts.c.status == ContactStatus.CLOSED,
        contacts.c.reason == Reason.SUP_EXTERNAL_UNSURE.value,
        ~exists(still),
    )
    return list(tx.execute(query).scalars())


# -- decisions ---------------------------------------------------------------------------------------


class Decision(NamedTuple):
    entry: int
    same: bool
    details: int


def decisions(tx: Tx, persons: Sequence[int]) -> dict[int, list[Decision]]:
    decided: dict[int, list[Decision]] = defaultdict(list)
    query = select(
        register_decisions.c.person,
        register_decisions.c.entry,
        register_decisions.c.same,
        register_decisions.c.details,
    ).where(register_decisions.c.person.in_(list(persons)))
    for person, entry, same, details in tx.execute(query):
        decided[person].append(Decision(entry, same, details))
    return decided


def decide(
    tx: Tx, person: int, entries: Iterable[int], details: int, at: datetime, by: str, *, same: bool
) -> None:
    values = [
        {"person": person, "entry": entry, "same": same, "details": details, "at": at, "by": by}
        for entry in entries
    ]
    statement = INSERTS[tx.dialect.name](register_decisions)
    changed = {name: statement.excluded[name] for name in ("same", "details", "at", "by")}
    tx.execute(
        statement.on_conflict_do_update(index_elements=["person", "entry"], set_=changed), values
    )


def forget_removed(tx: Tx, persons: Sequence[int]) -> None:
    """Contacts of these persons were removed: their addresses go, and the results of who is on no list."""
    is_listed = exists(select(contacts.c.id).where(contacts.c.person == register_matches.c.person))
    for at in range(0, len(persons), _TOGETHER):
        some = persons[at : at + _TOGETHER]
        tx.execute(
            delete(contact_addresses).where(
                contact_addresses.c.person.in_(some),
                ~exists(select(contacts.c.id).where(_here)),
            )
        )
        tx.execute(
            delete(register_matches).where(
                register_matches.c.version.in_(select(registers.c.version)),
                register_matches.c.person.in_(some),
                ~is_listed,
            )
        )


def forget_people(tx: Tx, persons: Collection[int]) -> None:
    """Erase what is stored here about these persons."""
    forget_results(tx, persons)
    for table in (contact_addresses, register_decisions):
        tx.execute(delete(table).where(among(tx, table.c.person, persons)))
