"""After the evening: what stands in Maja's page, in the database, in the log and in the network's own record.

The judge is the network's record of every telephone that rang, never the server's.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

from playwright.sync_api import expect

from callserver.database import audit, figures, listenings
from callserver.database.calls import CallRow
from callserver.database.calls import of_phoner as calls_of
from callserver.engine.audit_log.verification import Verification, check
from callserver.engine.outcomes.own_calls import initials
from callserver.simulator.invariants import Rows, judge, judge_listening
from callserver.simulator.legs import Ring
from callserver.simulator.robots import Acknowledged
from tests.browser.evening import COMES, EVERYBODY, HOME, NUMBER_OF, Evening
from tests.browser.evening_maja import MAJA, SIGRID, Maja
from tests.browser.evening_sigrid import Sigrid

SLACK = timedelta(seconds=4)
"""In real time a leg is moved within seconds, not at once."""

LEFT_ALONE = {
    *("SUP_NUMBER", "SUP_PERSON", "SUP_HOUSEHOLD", "SUP_PURPOSE", "SUP_COMPLAINT"),
    *("NUM_REASSIGNED", "PERSON_DECEASED", "PERSON_VULNERABLE"),
}
"""Why the gate refused those who stood first in two more lists."""


def everything_was_used(shift: Evening, maja: Maja) -> None:
    """Every outcome of every campaign has had its talk."""
    campaigns = shift.system.stage.server.ctx.rules.current.campaigns.values()
    assert maja.used == {outcome for campaign in campaigns for outcome in campaign.outcomes}


def my_evening_lists_it(shift: Evening, maja: Maja) -> None:
    """The phoner's talks, the latest first, at the times that the clocks showed; no figures."""
    made = _made(shift)
    talks = [call for call in made if call.answered_at]
    rows = maja.page.locator("#evening-body tbody tr")
    expect(rows).to_have_count(len(talks))
    who = {number: name for name, number in NUMBER_OF.items()}
    for row, call in zip(rows.all(), talks, strict=True):
        assert call.answered_at is not None
        outcome = shift.system.stage.server.ctx.rules.campaign(call.campaign).outcomes[
            call.outcome or ""
        ]
        for said in (
            f"{call.answered_at.astimezone(HOME):%H:%M}",
            initials(who[f"+{call.number}"]),
            outcome.label.en,
        ):
            expect(row).to_contain_text(said)
    expect(maja.page.locator("#evening-body")).to_contain_text("And 2 who did not answer.")


def the_database_has_it(shift: Evening, maja: Maja) -> None:
    """Exactly what was entered: nothing lost, nothing more."""
    made = _made(shift)
    assert {call.attempt: call.outcome for call in made if call.outcome} == maja.given
    assert [call.attempt for call in reversed(made) if call.answered_at] == maja.talks
    assert sorted(call.cause or "" for call in made if not call.answered_at) == [
        "busy",
        "no_answer",
    ]
    assert shift.system.read(figures.totals) == {
        "dials": len(made),
        "answered": len(maja.talks),
        "abandoned": 0,
    }


def the_seals_hold(shift: Evening) -> None:
    """Every entry of the evening, against the heads that left the database."""
    server = shift.system.stage.server
    settings = server.settings

    def checked() -> Verification:
        verification: Verification = shift.system.run(
            check(server.store, settings.seals, settings.seal_key.with_suffix(".pub"))
        )
        return verification

    verification = checked()
    while verification.unsealed:
        shift.passes(0.2)
        verification = checked()
    assert not verification.findings
    assert verification.sealed == len(shift.system.read(lambda tx: list(audit.entries(tx))))


def nobody_was_wronged(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """Who was called, when and how often, and who was not called."""
    record = shift.system.stage.world.network.record
    rung = Counter(ring.number for ring in record)
    assert rung.pop(NUMBER_OF["Carlo Dalsgaard"]) == 2  # the person had asked for it
    assert set(rung.values()) == {1}
    silent = {who for who in EVERYBODY if NUMBER_OF[who] not in rung} - {"Carlo Dalsgaard"}
    assert silent == {
        "Ebbe Fjordby",
        "Gudrun Havbakke",
        "Tove Agerbæk",
        "Viggo Dalsgaard",
        "Hakon Lyngvig",
    }
    assert LEFT_ALONE - shift.system.read(figures.refusals).keys() == set()
    assert all(17 <= ring.rang_at.astimezone(HOME).hour < 21 for ring in record)

    verdict = judge(
        record, _rows(shift), Acknowledged([*maja.given.items()], maja.opt_outs), shift.clock.now()
    )
    listeners = shift.system.stage.world.network.listening_record
    judge_listening(verdict, listeners.stays, [sigrid.me], _rows(shift), shift.clock.now(), SLACK)
    assert verdict.clean, verdict.cases
    assert not listeners.beeps


def she_heard_each_talk(shift: Evening, maja: Maja, *, but: set[str]) -> None:
    """In the room when the person said hello, by the network's record; and so it stands in the log."""
    network = shift.system.stage.world.network
    rings = {ring.label: ring for ring in network.record}
    who = {number: name for name, number in NUMBER_OF.items()}
    heard = [attempt for attempt in maja.talks if who[rings[attempt].number] not in but]
    assert [
        attempt for attempt in heard if not _there(network.listening_record.stays, rings[attempt])
    ] == []
    written = shift.system.read(lambda tx: listenings.heard_of(tx, SIGRID, maja.talks))
    assert {who[rings[attempt].number] for attempt in set(heard) ^ written} == set()


def _there(voices: Any, ring: Ring) -> bool:
    assert ring.answered_at is not None
    return any(
        voice.since <= ring.answered_at <= (voice.until or ring.answered_at) for voice in voices
    )


def _made(shift: Evening) -> list[CallRow]:
    """The phoner's calls, the latest first, and nobody else's."""
    calls: list[CallRow] = shift.system.read(lambda tx: calls_of(tx, MAJA, COMES))
    return calls


def _rows(shift: Evening) -> Rows:
    return shift.system.read(lambda tx: Rows(*figures.for_invariants(tx)))  # type: ignore[no-any-return]
