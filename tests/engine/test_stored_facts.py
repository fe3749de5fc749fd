"""What the gate makes of the stored data about a contact and everybody in its reach."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.config_folder import load
from callserver.database.contacts import Contact
from callserver.database.marks import Mark
from callserver.database.seats import SeatRow
from callserver.domain import facts as f
from callserver.domain import permit, subject
from callserver.domain.call import DialPath
from callserver.domain.facts import Scope, Suppression
from callserver.domain.identity import NOBODY_ELSE, InReach, KnownRow, Match
from callserver.domain.marks import MarkKind
from callserver.engine.context import Rules
from callserver.engine.gate import stored_facts
from callserver.engine.gate.stored_facts import DialRequest, StoredFacts

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = Rules(load(Path(__file__).parents[2] / "config"))
KANVAS = RULES.campaign("kanvas")
OWN, SAME, UNSURE = 2, 1, 3
REACH = InReach(same=frozenset([SAME]), unsure=frozenset([UNSURE]), households=frozenset([92]))
CONTACT = Contact._make([None] * len(Contact._fields))._replace(
    id=10,
    campaign="kanvas",
    person=OWN,
    household=91,
    number=4532200001,
    status="ready",
    tries=0,
    member=True,
    source="gade",
)
SEAT = SeatRow._make([None] * len(SeatRow._fields))._replace(id=1, phoner=1)


def mark(kind: MarkKind, about: str | int = OWN, at: datetime = NOW - HOUR, **detail: Any) -> Mark:
    """Of a person by their key, or of a subject."""
    named = about if isinstance(about, str) else subject.of_person(about)
    return Mark(named, kind, at, detail or None)


def row(person: int, **values: Any) -> KnownRow:
    return KnownRow(person, 4532200009, 99, "Prøve Person", contact=person * 10, **values)


def facts(
    *marks: Mark,
    contact: Contact = CONTACT,
    rows: Sequence[tuple[Match, KnownRow]] = (),
    suppressions: Sequence[tuple[str, Suppression]] = (),
    path: DialPath = DialPath.EXPLAIN,
    seat: SeatRow | None = None,
    reach: InReach = REACH,
    **known: Any,
) -> f.Facts:
    clock = {"skew_ms": known.pop("skew_ms")} if "skew_ms" in known else {}
    everything = StoredFacts(
        marks=marks,
        suppressions=suppressions,
        register=f.Register(),
        attempts=(),
        active_call=False,
        phoner=f.Phoner(),
        campaign=f.CampaignState(),
        number_refused=False,
        reach=replace(reach, rows=tuple(rows)),
    )
    request = DialRequest(contact, KANVAS, path, seat, NOW)
    return stored_facts.facts_from(RULES, request, replace(everything, **known), **clock)


def test_a_contact_of_whom_nothing_else_is_known() -> None:
    assert facts() == f.Facts(
        now=NOW,
        number="+4532200001",
        policy=RULES.policy_of(KANVAS),
        segment=KANVAS.segment,
        purpose=KANVAS.purpose,
        relation=f.Relation(member=True),
        phoner_reserved=True,
        caller_id=KANVAS.caller_id,
        revision=RULES.current.revision,
        ring_seconds=KANVAS.ring_seconds,
        call_back_tolerance_minutes=KANVAS.call_backs.tolerance_minutes,
    )


def test_subjects_are_the_contact_s_own_and_those_of_everybody_in_reach() -> None:
    own = ["number:4532200001", "person:2", "household:91", subject.of_hash(4532200001, b"key")]
    assert stored_facts.subjects_of(CONTACT, b"key", NOBODY_ELSE) == own
    others = ["person:1", "person:3", "household:92"]
    assert stored_facts.subjects_of(CONTACT, b"key", REACH) == own + others
    only_home = InReach(households=frozenset([92]))
    assert stored_facts.subjects_of(CONTACT, b"key", only_home) == [*own, "household:92"]
    only_people = InReach(unsure=frozenset([3]))
    assert stored_facts.subjects_of(CONTACT, b"key", only_people) == [*own, "person:3"]


def test_attempts_at_everybody_who_may_be_the_person_count() -> None:
    persons, households = stored_facts.attempts_reach(REACH)
    assert (set(persons), set(households)) == ({SAME, UNSURE}, {92})


PROTECTS: Mapping[MarkKind, Callable[[f.Facts], bool]] = {
    MarkKind.DECEASED: lambda facts: facts.person.deceased_at == NOW - HOUR,
    MarkKind.GUARDIAN: lambda facts: facts.person.guardian,
    MarkKind.VULNERABLE: lambda facts: facts.person.vulnerable,
    MarkKind.ERASED: lambda facts: facts.person.erased,
    MarkKind.REFUSED: lambda facts: facts.refused_at == NOW - HOUR,
    MarkKind.ABANDONED: lambda facts: facts.abandoned_at == NOW - HOUR,
    MarkKind.LEFT: lambda facts: not facts.relation.member,
    MarkKind.CONSENT_REVOKED: lambda facts: (
        [consent.event for consent in facts.consents] == [f.ConsentEvent.REVOKED]
    ),
}


@pytest.mark.parametrize("about", [OWN, SAME, UNSURE, "number:4532200001", "household:91"])
@pytest.mark.parametrize("kind", PROTECTS)
def test_a_mark_that_protects_reaches_everybody_who_may_be_the_person(
    kind: MarkKind, about: str | int
) -> None:
    assert PROTECTS[kind](facts(mark(kind, about)))
    assert not PROTECTS[kind](facts())


@pytest.mark.parametrize("kind", MarkKind)
def test_a_mark_says_nothing_else(kind: MarkKind) -> None:
    found = facts(mark(kind))
    assert {known for known, says in PROTECTS.items() if says(found)} == {kind} & set(PROTECTS)


@pytest.mark.parametrize("about", [OWN, "number:4532200001"])
def test_a_mark_about_the_number(about: str | int) -> None:
    bad, reassigned = mark(MarkKind.BAD_NUMBER, about), mark(MarkKind.REASSIGNED, about)
    assert facts(bad).bad_number
    assert facts(reassigned).reassigned_at == NOW - HOUR
    assert not facts(reassigned).bad_number


@pytest.mark.parametrize("about", [SAME, UNSURE])
def test_a_mark_about_the_number_of_somebody_else_is_not_about_this_one(about: int) -> None:
    assert facts(mark(MarkKind.BAD_NUMBER, about), mark(MarkKind.REASSIGNED, about)) == facts()


@pytest.mark.parametrize(
    ("about", "consents"),
    [(OWN, [True]), (SAME, [False]), (UNSURE, []), ("number:4532200001", []), ("household:91", [])],
)
def test_a_consent_is_a_person_s_and_says_whether_it_is_their_own(
    about: str | int, consents: list[bool]
) -> None:
    given = facts(mark(MarkKind.CONSENT_GIVEN, about)).consents
    assert [consent.is_own for consent in given] == consents


@pytest.mark.parametrize(
    ("detail", "phone", "proof"),
    [
        ({}, True, False),
        ({"phone": False}, False, False),
        ({"phone": True, "proof": True}, True, True),
    ],
)
def test_a_consent_covers_the_telephone_unless_it_says_otherwise_and_has_no_proof_unless_stored(
    detail: dict[str, Any], phone: bool, proof: bool
) -> None:
    (consent,) = facts(mark(MarkKind.CONSENT_GIVEN, **detail)).consents
    assert (consent.phone, consent.proof, consent.at) == (phone, proof, NOW - HOUR)


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        (Scope.PERSON, {OWN, SAME, UNSURE}),
        (Scope.COMPLAINT, {OWN, SAME, UNSURE}),
        (Scope.PURPOSE, {OWN, SAME, UNSURE}),
        (Scope.NUMBER, {OWN}),
        (Scope.HASH, {OWN}),
        (Scope.HOUSEHOLD, {OWN}),
    ],
)
def test_an_opt_out_reaches_as_far_as_its_scope(scope: Scope, reached: set[int]) -> None:
    opt_out = Suppression(scope, NOW - HOUR)
    for person in (OWN, SAME, UNSURE):
        about = subject.of_person(person)
        found = facts(suppressions=[(about, opt_out)]).suppressions
        assert found == ((opt_out,) if person in reached else ())
    assert facts(suppressions=[("number:4532200001", opt_out)]).suppressions == (opt_out,)
    assert facts(suppressions=[("household:92", opt_out)]).suppressions == (opt_out,)


def test_the_latest_mark_of_a_kind_counts_and_of_a_death_the_earliest() -> None:
    first, later = NOW - 3 * HOUR, NOW - 2 * HOUR
    for order in ((first, later), (later, first)):
        said = facts(
            *(mark(MarkKind.REFUSED, at=at) for at in order),
            *(mark(MarkKind.DECEASED, at=at) for at in order),
        )
        assert said.refused_at == later
        assert said.person.deceased_at == first


def test_a_later_request_for_a_call_ends_a_refusal_and_an_earlier_one_does_not() -> None:
    refused, requested = mark(MarkKind.REFUSED), mark(MarkKind.REQUESTED)
    assert facts(refused, requested).refused_at is None
    assert facts(requested, refused).refused_at == NOW - HOUR


@pytest.mark.parametrize("about", [SAME, UNSURE, "number:4532200001"])
def test_nobody_else_s_request_ends_a_refusal(about: str | int) -> None:
    until = NOW + HOUR
    said = facts(
        mark(MarkKind.REFUSED),
        mark(MarkKind.NOT_NOW, until=until.isoformat()),
        mark(MarkKind.REQUESTED, about),
    )
    assert (said.refused_at, said.not_now_until) == (NOW - HOUR, until)


def test_not_now_lasts_until_the_latest_instant_that_was_named() -> None:
    near, far = NOW + HOUR, NOW + 5 * HOUR
    said = [
        mark(MarkKind.NOT_NOW, UNSURE, until=far.isoformat()),
        mark(MarkKind.NOT_NOW, until=near.isoformat()),
    ]
    assert facts(*said).not_now_until == far
    assert facts(*said, mark(MarkKind.REQUESTED)).not_now_until is None
    assert facts(said[1], mark(MarkKind.REQUESTED), said[0]).not_now_until == far
    assert facts(mark(MarkKind.NOT_NOW)).not_now_until is None  # it names no instant


@pytest.mark.parametrize("kind", sorted(set(MarkKind) - {MarkKind.REQUESTED, MarkKind.NOT_NOW}))
def test_only_a_request_ends_a_refusal_or_not_now_and_no_other_mark_lasts_until(
    kind: MarkKind,
) -> None:
    until = NOW + HOUR
    said = facts(
        mark(MarkKind.REFUSED, at=NOW - HOUR),
        mark(MarkKind.NOT_NOW, until=until.isoformat()),
        mark(kind, until=(NOW + 9 * HOUR).isoformat()),
    )
    assert (said.refused_at, said.not_now_until) == (NOW - HOUR, until)


@pytest.mark.parametrize(
    ("status", "reason", "waits"),
    [
        ("waiting", "not_now", True),
        ("waiting", "no_answer", False),
        ("call_back", "not_now", False),
        ("ready", "not_now", False),
        ("waiting", None, False),
    ],
)
def test_a_contact_that_waits_as_the_person_asked_has_peace(
    status: str, reason: str | None, waits: bool
) -> None:
    contact = CONTACT._replace(status=status, reason=reason, next_at=NOW + HOUR)
    assert facts(contact=contact).not_now_until == (NOW + HOUR if waits else None)


@pytest.mark.parametrize("match", [Match.SAME, Match.UNSURE])
def test_not_now_on_another_list(match: Match) -> None:
    rows = [(match, row(SAME, not_now_until=NOW + HOUR))]
    assert facts(rows=rows).not_now_until == NOW + HOUR


@pytest.mark.parametrize("match", [Match.SAME, Match.UNSURE])
@pytest.mark.parametrize(
    ("ended", "member", "has_ended"),
    [("2026-01-01", False, True), ("2026-01-01", True, False), (None, False, False)],
)
def test_a_membership_that_ended_on_another_list(
    match: Match, ended: str | None, member: bool, has_ended: bool
) -> None:
    rows = [(match, row(SAME, ended=ended, member=member))]
    assert facts(rows=rows).relation.member is not has_ended


def test_who_is_no_member_on_the_list_does_not_become_one() -> None:
    rows = [(Match.SAME, row(SAME, member=True))]
    assert not facts(contact=CONTACT._replace(member=False), rows=rows).relation.member


@pytest.mark.parametrize(
    ("own", "other", "match", "born"),
    [
        ("1980-01-01", "2012-01-01", Match.SAME, date(2012, 1, 1)),  # in doubt a child
        ("2012-01-01", "1980-01-01", Match.SAME, date(2012, 1, 1)),
        (None, "2012-01-01", Match.SAME, date(2012, 1, 1)),
        ("1980-01-01", None, Match.SAME, date(1980, 1, 1)),
        ("1980-01-01", "2012-01-01", Match.UNSURE, date(1980, 1, 1)),  # a parent shares the number
        (None, "2012-01-01", Match.UNSURE, None),
    ],
)
def test_the_latest_date_of_birth_of_the_same_person_counts(
    own: str | None, other: str | None, match: Match, born: date | None
) -> None:
    found = facts(contact=CONTACT._replace(born=own), rows=[(match, row(SAME, born=other))])
    assert found.person.born == born


@pytest.mark.parametrize(
    ("marked", "replaced", "reassigned"),
    [(1, 2, 1), (2, 1, 1), (None, 1, 1), (1, None, 1), (None, None, None)],
)
def test_the_number_has_another_holder_since_the_latest_instant_known(
    marked: int | None, replaced: int | None, reassigned: int | None
) -> None:
    """In hours before now."""
    marks = [] if marked is None else [mark(MarkKind.REASSIGNED, at=NOW - marked * HOUR)]
    reach = replace(REACH, replaced_at=None if replaced is None else NOW - replaced * HOUR)
    found = facts(*marks, reach=reach).reassigned_at
    assert found == (None if reassigned is None else NOW - reassigned * HOUR)


def test_a_number_replaced_ahead_of_the_clock_is_not_dialed() -> None:
    """By a list that came in at a server whose clock is ahead."""
    reach = replace(REACH, replaced_at=NOW + HOUR)
    assert facts(reach=reach, path=DialPath.LIST, seat=SEAT).reassigned_at == NOW
    assert facts(reach=reach).reassigned_at == NOW + HOUR


@pytest.mark.parametrize("path", DialPath)
def test_an_agreed_time_opens_only_a_call_back(path: DialPath) -> None:
    contact = CONTACT._replace(callback_for=NOW)
    agreed = facts(contact=contact, path=path).callback_for
    assert agreed == (NOW if path is DialPath.CALL_BACK else None)


@pytest.mark.parametrize("path", DialPath)
def test_a_dial_needs_a_seat_unless_no_phoner_would_talk(path: DialPath) -> None:
    assert facts(path=path, seat=SEAT).phoner_reserved
    without = path in (DialPath.EXPLAIN, DialPath.CONFIRMATION)
    assert facts(path=path).phoner_reserved is without


@pytest.mark.parametrize(("source", "known"), [("gade", True), ("ukendt", False), (None, False)])
def test_a_source_that_says_nothing_is_unknown(source: str | None, known: bool) -> None:
    assert facts(contact=CONTACT._replace(source=source)).source_known is known


def test_a_displayed_number_is_the_organisation_s_own() -> None:
    own = CONTACT._replace(number=int(KANVAS.caller_id.removeprefix("+")))
    assert facts(contact=own).own_number
    assert not facts().own_number


def test_the_rest_is_handed_on_as_it_was_read() -> None:
    register, phoner = f.Register(listed=True), f.Phoner(shift=2)
    campaign, attempts = f.CampaignState(paused=True), (NOW - HOUR,)
    contact = CONTACT._replace(zone="America/Nuuk", last_gift="2026-01-02", ended="2026-01-03")
    found = facts(
        contact=contact,
        reach=replace(REACH, is_crowd=True),
        register=register,
        phoner=phoner,
        campaign=campaign,
        attempts=attempts,
        active_call=True,
        number_refused=True,
        skew_ms=7,
    )
    assert (found.register, found.phoner, found.campaign) == (register, phoner, campaign)
    assert (found.attempts, found.active_call, found.number_refused) == (attempts, True, True)
    assert (found.person.zone, found.person.in_crowd) == ("America/Nuuk", True)
    assert found.relation == f.Relation(
        member=True, last_gift=date(2026, 1, 2), ended=date(2026, 1, 3)
    )
    assert found.system.clock_skew_ms == 7


LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize(("path", "seat"), [(DialPath.LIST, SEAT), (DialPath.CONFIRMATION, None)])
def test_what_a_server_with_a_fast_clock_wrote_protects_at_once(
    path: DialPath, seat: SeatRow | None
) -> None:
    opt_out = Suppression(Scope.NUMBER, LATER)
    found = facts(
        mark(MarkKind.REFUSED, at=LATER),
        mark(MarkKind.CONSENT_GIVEN, at=LATER),
        mark(MarkKind.CONSENT_REVOKED, at=LATER),
        mark(MarkKind.ABANDONED),
        suppressions=[
            ("number:4532200001", opt_out),
            ("person:2", Suppression(Scope.PERSON, NOW - HOUR, lifted_at=LATER)),
        ],
        path=path,
        seat=seat,
    )
    assert (found.refused_at, found.abandoned_at) == (NOW, NOW - HOUR)
    assert [consent.at for consent in found.consents] == [LATER, NOW]  # a consent waits
    assert found.suppressions == (
        Suppression(Scope.NUMBER, NOW),
        Suppression(Scope.PERSON, NOW - HOUR, lifted_at=LATER),  # so does the end of an opt-out
    )


@pytest.mark.parametrize("is_mark", [True, False])
def test_one_instant_ahead_of_the_clock_is_enough(is_mark: bool) -> None:
    marks = [mark(MarkKind.REFUSED, at=LATER)] if is_mark else []
    opt_outs = [] if is_mark else [("number:4532200001", Suppression(Scope.NUMBER, LATER))]
    found = facts(*marks, suppressions=opt_outs, path=DialPath.LIST, seat=SEAT)
    assert found.refused_at == (NOW if is_mark else None)
    assert [opt_out.at for opt_out in found.suppressions] == [NOW] * (not is_mark)


def test_an_explanation_of_another_day_sees_what_is_known_by_its_own_time() -> None:
    """Nobody is dialed by it: what lies ahead of its instant stays ahead."""
    assert facts(mark(MarkKind.REFUSED, at=LATER)).refused_at == LATER


@pytest.mark.parametrize("match", [Match.SAME, Match.UNSURE])
def test_a_zone_that_another_list_knows_must_be_open_as_well(match: Match) -> None:
    contact = CONTACT._replace(zone="America/Nuuk", place="DK America/Nuuk")
    rows = [
        (match, row(SAME, zone="Asia/Tokyo")),
        (match, row(UNSURE, zone="America/Nuuk")),
        (match, row(UNSURE)),
    ]
    person = facts(contact=contact, rows=rows).person
    assert (person.zone, person.other_zones) == ("America/Nuuk", ("Asia/Tokyo",))
    place = stored_facts.place_of(contact, replace(REACH, rows=tuple(rows)))
    assert place.zones == ("America/Nuuk", "Asia/Tokyo")
    assert permit.place_of(facts(contact=contact, rows=rows)) == place
    unknown = contact._replace(place="- ")
    assert stored_facts.place_of(unknown, replace(REACH, rows=tuple(rows))).zones == ()


@pytest.mark.parametrize("day", ["2026-05-13", "2036-05-01", "9999-12-31"])
def test_a_last_gift_whose_date_lies_ahead_is_none(day: str) -> None:
    """A typing error, or what a system writes for "never"."""
    contact = CONTACT._replace(place="DK Europe/Copenhagen", last_gift=day)
    assert facts(contact=contact).relation.last_gift is None
    today = contact._replace(last_gift="2026-05-12")
    assert facts(contact=today).relation.last_gift == date(2026, 5, 12)
    elsewhere = [(Match.SAME, row(SAME, zone="Asia/Tokyo"))]  # it is the 13th there
    found = facts(contact=contact._replace(last_gift="2026-05-13"), rows=elsewhere)
    assert found.relation.last_gift == date(2026, 5, 13)
