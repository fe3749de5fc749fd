"""Which telephone is a user's own: no line is really somebody else's telephone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callserver.domain import line
from callserver.domain.line import LineFacts, LineKind, LineProblem, NumberFacts, OwnLine
from callserver.domain.role_play import Player

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
NUMBER = "+4532200501"
GOOD = NumberFacts(frozenset({"DK"}), known=False, confirmed=True, hours_near=True)
TELEPHONE = LineFacts(
    NOW, 7, NUMBER, frozenset({"pbx.example.org"}), has_telephone=True, number=GOOD
)
P = LineProblem


def at(address: str) -> LineFacts:
    return replace(TELEPHONE, address=address)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (NUMBER, None),
        (line.browser(7), None),
        (line.listening_browser(7), None),
        (line.registered(7), None),
        (line.browser(8), P.NOT_YOURS),
        (line.browser(70), P.NOT_YOURS),
        (line.browser(6), P.NOT_YOURS),
        (line.listening_browser(8), P.NOT_YOURS),
        (line.registered(8), P.NOT_YOURS),
        (line.registered(6), P.NOT_YOURS),
        ("client:applicant_7", P.NOT_YOURS),
        ("client:phoner_07", P.NOT_YOURS),
        ("client:", P.NOT_YOURS),
        ("sip:anna@pbx.example.org", None),
        ("sip:Anna.B@PBX.example.org:5060", None),
        ("sip:anna1234@pbx.example.org", None),
        ("sip:anna12345@pbx.example.org", P.UNREADABLE),
        ("sip:32200501@pbx.example.org", P.UNREADABLE),
        ("sip:anna@elsewhere.example.org", P.HOST),
        ("sip:phoner_8@pbx.example.org", P.NOT_YOURS),
        ("sip:Telephone_8@pbx.example.org", P.NOT_YOURS),
        ("sip:telephone_8", P.NOT_YOURS),
        ("sip:", P.UNREADABLE),
        ("32200501", P.UNREADABLE),
        ("+45 32 20 05 01", P.UNREADABLE),
        ("", P.UNREADABLE),
        ("+4590123456", P.NUMBER),  # at a premium rate
        ("+4580123456", P.NUMBER),
        ("+299221234", P.NUMBER),  # in another country
    ],
)
def test_what_may_be_a_line(address: str, expected: LineProblem | None) -> None:
    assert line.problem(at(address)) is expected
    assert line.decide(at(address)) == (expected or OwnLine(address))


@pytest.mark.parametrize(
    ("number", "problem", "answer"),
    [
        (GOOD, None, OwnLine(NUMBER)),
        (NumberFacts(), P.NUMBER, P.NUMBER),  # what is not known never permits
        (replace(GOOD, regions=frozenset({"GL"})), P.NUMBER, P.NUMBER),
        (replace(GOOD, known=True), P.REFUSED, P.REFUSED),
        (replace(GOOD, confirmed=False), None, P.UNCONFIRMED),
        (replace(GOOD, hours_near=False), None, P.CLOSED),
        (replace(GOOD, confirmed=False, hours_near=False), None, P.UNCONFIRMED),
    ],
)
def test_a_number_is_called_when_all_is_known(
    number: NumberFacts, problem: LineProblem | None, answer: OwnLine | LineProblem
) -> None:
    facts = replace(TELEPHONE, number=number)
    assert line.problem(facts) is problem
    assert line.decide(facts) == answer


def test_only_a_number_has_hours_and_needs_to_be_confirmed() -> None:
    for address in (line.browser(7), line.registered(7), "sip:anna@pbx.example.org"):
        facts = replace(at(address), number=NumberFacts())
        assert line.decide(facts) == OwnLine(address)


def test_a_sip_telephone_needs_credentials() -> None:
    facts = replace(at(line.registered(7)), has_telephone=False)
    assert line.problem(facts) is None
    assert line.decide(facts) is P.NOT_REGISTERED
    for address in (NUMBER, line.browser(7), "sip:anna@pbx.example.org"):
        assert line.decide(replace(at(address), has_telephone=False)) == OwnLine(address)


SECOND, QUARTER, DAY = timedelta(seconds=1), timedelta(minutes=15), timedelta(hours=24)


@pytest.mark.parametrize(
    ("unanswered", "rests"),
    [
        *((count, timedelta(0)) for count in (0, 1, 2, 3)),
        (4, QUARTER),
        *((count, timedelta(0)) for count in (5, 6, 7)),
        *((count, DAY) for count in (8, 9, 12, 13)),
    ],
)
def test_a_line_that_nobody_answers_rests(unanswered: int, rests: timedelta) -> None:
    facts = replace(TELEPHONE, unanswered=unanswered, rang_at=NOW)
    ends = NOW + rests
    assert line.rests_until(unanswered, NOW, ends) is None
    assert line.decide(replace(facts, now=ends)) == OwnLine(NUMBER)
    if rests:
        assert line.rests_until(unanswered, NOW, ends - SECOND) == ends
        assert line.decide(replace(facts, now=ends - SECOND)) is P.UNANSWERED


def test_a_line_that_was_never_called_does_not_rest() -> None:
    assert line.rests_until(9, None, NOW) is None
    assert LineFacts(NOW, 7, NUMBER, frozenset()).unanswered == 0


@pytest.mark.parametrize(
    ("address", "kind", "shown"),
    [
        (NUMBER, LineKind.TELEPHONE, "•••••• 01"),
        (line.browser(7), LineKind.BROWSER, "phoner_7"),
        (line.listening_browser(7), LineKind.BROWSER, "listener_7"),
        (line.registered(7), LineKind.SIP, "telephone_7"),
        ("sip:anna@pbx.example.org", LineKind.SIP, "anna@pbx.example.org"),
    ],
)
def test_a_number_is_masked_where_a_line_is_shown(address: str, kind: LineKind, shown: str) -> None:
    assert line.kind(address) is kind
    assert line.shown(address) == shown


def test_a_role_play_call_reaches_browsers_only() -> None:
    for player in Player:
        assert line.kind(line.of_role_play(3, player).address) is LineKind.BROWSER


def test_guesses_and_changes_are_few() -> None:
    """Who guesses a code, or enters number after number, would make strangers' telephones ring."""
    assert line.CODE_TRIES / 10**line.CODE_DIGITS < 1 / 300_000
    assert line.CODE_TRIES >= 3
    assert timedelta(minutes=10) == line.CODE_LASTS
    assert line.CHANGES_A_DAY == 3
    assert timedelta(hours=1) == line.HOURS_MARGIN
