"""Facts of which nothing is said: nothing speaks for a call, and only what must be known speaks against it."""

from datetime import UTC, datetime

from callserver.domain import facts as f

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)


def test_of_a_person_nothing_is_assumed() -> None:
    assert f.Person() == f.Person(
        zone=None,
        other_zones=(),
        born=None,
        deceased_at=None,
        guardian=False,
        vulnerable=False,
        erased=False,
        in_crowd=False,
        outcome_missing=False,
        of_age=None,
    )
    assert f.Relation() == f.Relation(member=False, last_gift=None, ended=None)


def test_a_consent_is_the_person_s_own_word_about_the_telephone_without_a_proof() -> None:
    given = f.ConsentEvent.GIVEN
    assert f.Consent(given, NOW) == f.Consent(given, NOW, phone=True, proof=False, is_own=True)


def test_an_opt_out_lasts() -> None:
    said = f.Suppression(f.Scope.PERSON, NOW)
    assert (said.lifted_at, said.purpose) == (None, None)


def test_a_register_lists_nobody_by_itself() -> None:
    assert f.Register() == f.Register(listed=False, checked_at=None, missing=False, unsure=False)


def test_a_phoner_is_cleared_unless_something_is_missing() -> None:
    cleared = f.Phoner(
        shift=99, talk_owed=False, supervisor_present=True, policy_ack=True, left=False
    )
    assert f.Phoner() == cleared


def test_a_campaign_and_a_system_without_news_stop_nothing() -> None:
    assert f.CampaignState() == f.CampaignState(paused=False, answered=0, abandoned=0)
    assert f.System() == f.System(clock_skew_ms=0, suppression_age_s=0, audit_ok=True)


def test_the_facts_of_one_dial() -> None:
    facts = f.Facts(NOW, "+4520123456", None)
    assert facts == f.Facts(
        now=NOW,
        number="+4520123456",
        policy=None,
        segment=f.Segment.KANVAS,
        purpose=f.Purpose.RECRUIT,
        person=f.Person(),
        relation=f.Relation(),
        consents=(),
        suppressions=(),
        register=f.Register(),
        attempts=(),
        refused_at=None,
        not_now_until=None,
        abandoned_at=None,
        callback_for=None,
        call_back_tolerance_minutes=15,
        reassigned_at=None,
        bad_number=False,
        number_refused=False,
        active_call=False,
        source_known=True,
        own_number=False,
        phoner_reserved=True,
        phoner=f.Phoner(),
        campaign=f.CampaignState(),
        caller_id=None,
        system=f.System(),
        revision="",
        ring_seconds=25,
        location=None,
    )
