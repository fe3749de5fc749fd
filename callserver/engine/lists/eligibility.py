"""Counts how many contacts of a list may be called now, and why the others may not, by the gate's rules.

The result is a count and never permits a dial: permits made here are discarded.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callserver.database import bulk_facts, staged_rows
from callserver.database.contacts import Contact
from callserver.domain import facts as f
from callserver.domain import names, permit, subject
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.identity import InReach
from callserver.domain.names import Likeness
from callserver.domain.register_match import Match
from callserver.engine.context import Rules
from callserver.engine.gate import gate, stored_facts
from callserver.engine.gate.stored_facts import DialRequest, StoredFacts
from callserver.engine.identity import people_in_reach
from callserver.engine.lists.summary import OptOuts
from callserver.ports import Tx

ALLOWED = ""
"""The key for contacts that may be called. The others are counted under their first reason."""


@dataclass(frozen=True, slots=True)
class AsIf:
    """What an import would change, during a dry run. Its rows are staged."""

    changes: Mapping[int, Mapping[str, Any]]  # by contact
    opt_outs: OptOuts
    at: datetime
    results: Mapping[int, Match] = field(default_factory=dict)  # register results by person
    set_aside: Collection[int] = ()  # contacts that are no longer called from the list

    def contact(self, row: Contact) -> Contact:
        changes = {
            key: value for key, value in self.changes.get(row.id, {}).items() if key != "rank"
        }
        return row._replace(**changes) if changes else row

    def suppressions_of(self, contact: Contact, reach: InReach) -> list[tuple[str, f.Suppression]]:
        suppressions = [
            (subject.of_person(person), f.Suppression(f.Scope.PERSON, self.at))
            for person in (contact.person, *reach.keys)
            if person in self.opt_outs.persons
        ]
        suppressions += [
            (subject.of_person(person), f.Suppression(f.Scope.PERSON, self.at))
            for person, name in self.opt_outs.homes.get(contact.household, ())
            if names.compare(name, contact.name or "") is not Likeness.DIFFERENT
        ]
        if contact.number in self.opt_outs.numbers:
            about = subject.of_number(contact.number)
            suppressions.append((about, f.Suppression(f.Scope.NUMBER, self.at)))
        return suppressions


def tally(
    tx: Tx,
    rules: Rules,
    secret: bytes,
    campaign: Campaign,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
    as_if: AsIf | None = None,
) -> Counter[str]:
    """The campaign's ready contacts by the first reason against them, or ALLOWED.

    `progress` is called with the number of contacts so far.
    """
    reasons: Counter[str] = Counter()
    left_out = () if as_if is None else as_if.set_aside
    for ready in bulk_facts.ready(tx, campaign.name):
        contacts = [contact for contact in ready if contact.id not in left_out]
        for facts in facts_of(tx, rules, secret, campaign, contacts, now, as_if):
            answer = permit.decide(facts, "list")
            reasons[first_reason(answer)] += 1
        progress(reasons.total())
    return reasons


def first_reason(answer: permit.DialPermit | permit.Refusal) -> str:
    """The key under which an answer is counted."""
    return answer.reasons[0].value if isinstance(answer, permit.Refusal) else ALLOWED


def facts_of(
    tx: Tx,
    rules: Rules,
    secret: bytes,
    campaign: Campaign,
    contacts: Sequence[Contact],
    now: datetime,
    as_if: AsIf | None = None,
) -> Iterator[f.Facts]:
    """The facts of each contact, the same as gate.collect would read one by one.

    `as_if`: changes that are not stored.
    """
    if as_if is not None:
        contacts = [as_if.contact(contact) for contact in contacts]
        reaches = people_in_reach.of_many(tx, contacts, staged_rows.add_known)
    else:
        reaches = people_in_reach.of_many(tx, contacts)
    subjects = {
        contact.id: stored_facts.subjects_of(contact, secret, reaches[contact.id])
        for contact in contacts
    }
    everyone = list({about for several in subjects.values() for about in several})
    suppressions = bulk_facts.suppressions_of(tx, everyone)
    marks = bulk_facts.marks_of(tx, everyone)
    listed = bulk_facts.listed(tx, list({contact.number for contact in contacts}))
    others = set[int]().union(*(reach.keys for reach in reaches.values()))
    in_reach = bulk_facts.known_results(tx, others)
    results = bulk_facts.register_results(tx, list({contact.person for contact in contacts}))
    if as_if is not None:
        results |= {key: result for key, result in as_if.results.items() if key in results}
        in_reach |= {key: result for key, result in as_if.results.items() if key in others}
    refused = bulk_facts.refused(tx, list({contact.number for contact in contacts}))
    tried_by = {contact.id: _tried_by(contact, reaches[contact.id]) for contact in contacts}
    tried = bulk_facts.attempts_of(tx, set().union(*tried_by.values()), now - gate.LOOK_BACK)
    state, issued_at = gate.state_of(tx, rules, campaign, now)
    for contact in contacts:
        about, reach = subjects[contact.id], reaches[contact.id]
        own = results.get(contact.person, Match.NO)
        register_result = max(own, gate.strictest(in_reach, reach))
        attempts = {attempt for key in tried_by[contact.id] for attempt in tried.get(key, ())}
        ordered = sorted((mark for key in about for mark in marks.get(key, ())), key=_by_writing)
        known = StoredFacts(
            marks=[mark for _, mark in ordered],
            suppressions=[(key, no) for key in about for no in suppressions.get(key, ())]
            + ([] if as_if is None else as_if.suppressions_of(contact, reach)),
            register=gate.register_as(
                issued_at,
                listed=contact.number in listed or register_result is Match.YES,
                unsure=register_result is Match.UNSURE,
            ),
            attempts=tuple(sorted(attempt.at for attempt in attempts)),
            active_call=any(attempt.in_hand for attempt in attempts),
            phoner=f.Phoner(),
            campaign=state,
            number_refused=contact.number in refused,
            reach=reach,
        )
        yield stored_facts.facts_from(
            rules, DialRequest(contact, campaign, DialPath.EXPLAIN, None, now), known
        )


def _tried_by(contact: Contact, reach: InReach) -> set[tuple[str, int]]:
    """The number, persons and households whose attempts count."""
    persons, households = stored_facts.attempts_reach(reach)
    return {
        ("number", contact.number),
        *(("household", key) for key in (contact.household, *households)),
        *(("person", key) for key in (contact.person, *persons)),
    }


def _by_writing(numbered: tuple[int, object]) -> int:
    return numbered[0]
