"""Applicants on both databases: invited once, present, and deleted with everything about them."""

from datetime import UTC, datetime, timedelta

from callserver.database import applicants, role_plays
from callserver.database.store import AnyStore
from callserver.domain.applicant import Module, Step
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine import retention
from tests.harness.retention import drop_some

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=181)


def test_an_applicant_from_the_invitation_to_the_deletion(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        ane, bo = (applicants.add(tx, name, "nord", LONG_AGO) for name in ("Ane", "Bo"))
        interview = applicants.add_interview(tx, Module.INTRODUCTION, LONG_AGO, "nord")
        assert [applicants.invite(tx, interview, ane) for _ in range(2)] == [True, False]
        applicants.invite(tx, interview, bo)
        assert applicants.note_present(tx, interview, ane, present=True)
        row = applicants.find(tx, ane, lock=True)
        assert row is not None
        assert applicants.progress(tx, row).missing == (
            Step.MODULE_2,
            Step.ROLE_PLAY,
            Step.FORM,
        )
        answers = [{"question": {"da": "?", "en": "?"}, "answer": "words"}]
        applicants.change(tx, ane, form=answers)
        applicants.keep_from(tx, bo, NOW)
        applicants.keep_from(tx, bo, LONG_AGO)  # never earlier again
        forms = {applicant.name: applicant.form for applicant in applicants.every(tx, "nord")}
        assert forms == {"Ane": answers, "Bo": None}
        assert applicants.every(tx, "syd") == []
    with store.engine.begin() as tx:
        policy, kind = RetentionPolicy(), RetentionClass.APPLICANTS
        assert retention.due(tx, policy, NOW)[kind] == 1
        drop_some(tx, policy, kind, NOW, "test")
        assert [applicant.name for applicant in applicants.every(tx, None)] == ["Bo"]
        assert [
            participant.applicant for participant in applicants.participants_of(tx, [interview])
        ] == [bo]
        assert [row.id for row in applicants.listed_interviews(tx, "nord", NOW)] == [interview]
        applicants.cancel(tx, interview, NOW)
        assert applicants.listed_interviews(tx, "nord", LONG_AGO) == []


def test_a_role_play_call_is_found_by_code_and_cookie_while_it_is_open(store: AnyStore) -> None:
    values = {"department": "nord", "campaign": "kanvas", "room": "r", "created_at": NOW}
    with store.engine.begin() as tx:
        ane, bo = (applicants.add(tx, name, "nord", NOW) for name in ("Ane", "Bo"))
        first = role_plays.add(
            tx, applicant=ane, interviewer=1, code="c", guest="g", look_at=NOW, **values
        )
        assert first is not None
        for applicant, interviewer in ((ane, 2), (bo, 1)):
            again = role_plays.add(tx, applicant=applicant, interviewer=interviewer, **values)
            assert again is None
        assert role_plays.due(tx, NOW) == [first]
        for role_play in (role_plays.by_code(tx, "c"), role_plays.by_guest(tx, "g")):
            assert role_play is not None
            assert role_play.id == first
        assert not role_plays.took_place(tx, ane)
        role_plays.change(tx, first, started_at=NOW, ended_at=NOW)
        assert role_plays.took_place(tx, ane)
        assert role_plays.by_code(tx, "c") is None
        assert role_plays.by_guest(tx, "g") is None
        applicants.delete_all(tx, [ane])
        assert role_plays.get(tx, first) is not None  # a leg may be left
        role_plays.change(tx, first, look_at=None)
        applicants.delete_all(tx, [bo])
        assert role_plays.get(tx, first) is None
