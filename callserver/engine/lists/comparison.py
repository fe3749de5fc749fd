"""Compares a staged list with the known people: what changed, and which references belong to another person.

A change concerns the person on every list that contains them. What the list does not say is kept, and nothing
in it ends an opt-out. A known person whose row is refused is set aside.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from callserver.database import (
    list_import,
    protecting_households,
    set_aside_contacts,
    staged_rows,
)
from callserver.database.list_import import KnownPerson
from callserver.domain import names, subject
from callserver.domain.contact_status import ContactStatus
from callserver.domain.identity import NOBODY
from callserver.domain.names import Likeness
from callserver.engine.lists import known_countries, padded_references, salesforce_ids
from callserver.engine.lists.reader import ListReader
from callserver.ports import Tx

MOST_IN_A_HOUSEHOLD = 10
"""More people at one address are not a household: it is a nursing home, a hostel, or no real address."""

FACTS = ("zone", "born", "member", "last_gift", "ended")
"""Columns about the person, which hold on every list."""

_REOPENED = ("BASIS_", "SUP_", "PERSON_")
"""Contacts closed for a reason with one of these prefixes are reopened after a change of a fact."""


_NUMBERS_FAULT = ("bad_number", "wrong_number")
"""Reasons for which a contact was closed only because of its number."""


SHOWN = ("number", "name", "member", "born", "last_gift", "ended", "source")
"""The fields whose changes are reported; the others follow from these, or are details."""


@dataclass(slots=True)
class Comparison:
    """What importing the staged rows would change about contacts that exist."""

    here: dict[int, dict[str, Any]] = field(default_factory=dict)  # by contact, in this campaign
    elsewhere: dict[int, dict[str, Any]] = field(default_factory=dict)  # on other lists
    closed: set[int] = field(default_factory=set)  # contacts to be reopened
    set_aside: set[int] = field(default_factory=set)  # contacts whose newest row was refused
    returned: set[int] = field(default_factory=set)  # contacts that were set aside before
    younger: dict[int, str] = field(default_factory=dict)  # contacts, by a row that was refused

    def by_field(self) -> Counter[str]:
        """How many contacts of this campaign change, by reported field."""
        return Counter(name for changes in self.here.values() for name in changes if name in SHOWN)

    def all(self) -> Mapping[int, dict[str, Any]]:
        younger = {contact: {"born": born} for contact, born in self.younger.items()}
        return {**younger, **self.here, **self.elsewhere}


def compare(tx: Tx, listed: ListReader, campaign: str, raw: bytes, *, ranked: bool) -> Comparison:
    """Compare the staged rows with the contacts.

    A row whose reference is another person's is recognised by its number and name instead. Rows whose
    number is given for many people are refused.
    """
    padded_references.recognise(tx, listed)
    salesforce_ids.recognise(tx, listed)
    known_countries.keep(tx, listed, raw)
    _return_home(tx, listed)
    _dissolve(tx, listed.crowds(MOST_IN_A_HOUSEHOLD))
    if crowded := staged_rows.lines_of(tx, "number", listed.crowded_numbers):
        staged_rows.drop_lines(tx, crowded)
        listed.refuse_lines(raw, crowded, "phone", "number_of_many")
    _without_reference(tx, listed, staged_rows.lines_of(tx, "person", listed.crowded_references))
    births = _births(listed)
    listed.places.update(staged_rows.be_cautious(tx, listed.dropped(), births))
    compared = Comparison()
    present = _present(listed, ranked=ranked)
    pairs, strangers = _met(tx, present)
    if others := strangers - list_import.with_known_number(tx, strangers):
        _without_reference(tx, listed, others)
        again, _ = _met(tx, present, others)
        pairs += again
    for pair in pairs:
        _add(compared, pair, campaign, present, _extras(listed))
    compared.returned = set_aside_contacts.returned(tx)
    compared.set_aside = _set_aside(tx, listed, campaign)
    compared.younger = set_aside_contacts.younger(tx, births)
    return compared


def _births(listed: ListReader) -> dict[int, str]:
    """The latest date of birth in the refused rows for each person with a reference."""
    births: dict[int, str] = {}
    for row in listed.refused:
        if row.person is not None and row.born > births.get(row.person, ""):
            births[row.person] = row.born
    return births


def _set_aside(tx: Tx, listed: ListReader, campaign: str) -> set[int]:
    """Known contacts whose newest row was refused. The row may name another number, or a child, so they are
    not called until a row about them is accepted."""
    persons = {row.person for row in listed.refused if row.person is not None}
    numbers = set[int]().union(*(row.numbers for row in listed.refused))
    return set_aside_contacts.about(tx, persons, campaign, numbers)


def _met(
    tx: Tx, present: frozenset[str], lines: Collection[int] | None = None
) -> tuple[list[KnownPerson], set[int]]:
    """Pairs of rows and contacts that may be the same person, and lines that match only other people."""
    strangers: set[int] = set()
    friends: set[int] = set()
    pairs: list[KnownPerson] = []
    for some in list_import.known_persons(tx, present, lines):
        for pair in some:
            is_one = _may_be_one(pair)
            (friends if is_one else strangers).add(pair.line)
            if is_one:
                pairs.append(pair)
    return pairs, strangers - friends


def _without_reference(tx: Tx, listed: ListReader, lines: Collection[int]) -> None:
    """Key these rows by number and name, because their reference identifies nobody."""
    if not lines:
        return
    keys = [
        (line, subject.person_key(None, number, name))
        for line, number, name in staged_rows.names_of(tx, lines)
    ]
    listed.merge(staged_rows.rekey(tx, keys))
    listed.summary.no_keys.update(lines)


def _dissolve(tx: Tx, households: Collection[int]) -> None:
    lines = staged_rows.of_households(tx, households)
    alone = [(line, subject.household_key(None, number)) for line, number in lines]
    staged_rows.set_households(tx, [(line, key, key) for line, key in alone])


def _return_home(tx: Tx, listed: ListReader) -> None:
    """Keep a former household key where it protects somebody: nobody may become callable because it is now
    recognised as a district, a post-office box or a placeholder."""
    if not listed.former_homes:
        return
    staged = staged_rows.lines(tx)
    few = {
        home: lines
        for home, lines in listed.former_homes.items()
        if len(staged.intersection(lines)) <= MOST_IN_A_HOUSEHOLD
    }
    protecting = protecting_households.among(tx, {key for home in few for key in home})
    homes = {
        line: home
        for home, lines in few.items()
        if not protecting.isdisjoint(home)
        for line in lines
    }
    staged_rows.set_households(tx, [(line, *home) for line, home in homes.items()])
    listed.return_home(homes)


def _may_be_one(pair: KnownPerson) -> bool:
    """Whether a row and a contact under one key are one person."""
    old, new = pair.contact, pair.staged
    if old.number == new["number"] or (new["born"] and old.born == new["born"]):
        return True
    return names.compare(old.name or "", new["name"] or "") is not Likeness.DIFFERENT


def _extras(listed: ListReader) -> frozenset[str]:
    return frozenset(listed.summary.unread())


def _present(listed: ListReader, *, ranked: bool) -> frozenset[str]:
    """The contact's columns about which the file says something."""
    columns = listed.summary.heads.columns
    present = {"number", *(name for name in (*FACTS, "source") if name in columns)}
    if {"name", "first_name", "last_name"} & set(columns):
        present.add("name")
    if {"household", "address"} & set(columns):
        present.add("household")
    if "age" in columns:
        present.add("born")
    is_our_export = len(listed.sheet.header) > len(listed.summary.header)
    if listed.summary.heads.unread and not is_our_export:  # some details are renamed in an export
        present.add("fields")
    return frozenset({*present, "rank"} if ranked else present)


def _add(
    compared: Comparison,
    pair: KnownPerson,
    campaign: str,
    present: frozenset[str],
    extras: frozenset[str],
) -> None:
    old = pair.contact
    if old.number == NOBODY:  # erased values are not stored again
        return
    is_here = old.campaign == campaign
    changes = _person(old._asdict(), pair.staged, present)
    if is_here:
        changes |= _list(old._asdict(), pair, present, extras)
    if not changes:
        return
    (compared.here if is_here else compared.elsewhere)[old.id] = changes
    if "number" in changes and old.callback_for is not None:
        # Agreed for another telephone: it lifts no hours at this one.
        changes["callback_for"] = None
    facts = {"number", "place", *FACTS} & set(changes)
    if old.status == ContactStatus.CLOSED and facts:
        if "number" in changes or (old.reason or "").startswith(_REOPENED):
            compared.closed.add(old.id)
    elif old.status == ContactStatus.DONE and old.reason in _NUMBERS_FAULT and "number" in changes:
        compared.closed.add(old.id)


def _person(
    old: Mapping[str, Any], new: Mapping[str, Any], present: frozenset[str]
) -> dict[str, Any]:
    """The changes of the person's columns."""
    changes: dict[str, Any] = {}
    if new["number"] != old["number"]:
        changes["number"] = new["number"]
    if "zone" in present and new["zone"] and new["zone"] != old["zone"]:
        changes["zone"] = new["zone"]
    if changes:
        zone = changes.get("zone", old["zone"])
        place = f"{new['place'].split(' ')[0]} {zone}" if zone else new["place"]
        if place != old["place"]:
            changes["place"] = place
    household = _household(old, new)
    if household != old["household"]:
        changes["household"] = household
    if new["born"] and new["born"] != old["born"]:
        changes["born"] = new["born"]
    if "member" in present and bool(new["member"]) != bool(old["member"]):
        changes["member"] = bool(new["member"])
    for name in ("last_gift", "ended"):
        if name in present and (new[name] or None) != old[name]:
            changes[name] = new[name] or None
    return changes


def _household(old: Mapping[str, Any], new: Mapping[str, Any]) -> int:
    """The change of household. A known address is kept if the list has none."""
    was_alone = old["household"] == subject.household_key(None, old["number"])
    is_alone = new["household"] == subject.household_key(None, new["number"])
    return int(new["household"] if was_alone or not is_alone else old["household"])


def _list(
    old: Mapping[str, Any], pair: KnownPerson, present: frozenset[str], extras: frozenset[str]
) -> dict[str, Any]:
    """Changes that concern this list only."""
    new = pair.staged
    changes: dict[str, Any] = {}
    for name in ("name", "source"):
        if name in present and new[name] and new[name] != old[name]:
            changes[name] = new[name]
    if "fields" in present:
        kept = {key: text for key, text in (old["fields"] or {}).items() if key not in extras}
        fields = {**kept, **list_import.fields_of(new["fields"])} or None
        if fields != old["fields"]:
            changes["fields"] = fields
    if "rank" in present and new["rank"] != pair.rank:
        changes["rank"] = new["rank"]
    return changes
