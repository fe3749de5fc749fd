"""Applicants on both databases: invited once, present, and deleted with everything about them."""

from datetime import UTC, datetime, timedelta

from callserver.database import applicants
from callserver.database.store import AnyStore
from callserver.domain.applicant import Module, Step
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine import retention

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
        assert applicants.progress(tx, row).missing == (Step.ROLE_PLAY, Step.FORM)
        answers = [{"question": {"da": "?", "en": "?"}, "answer": "words"}]
        applicants.change(tx, ane, form=answers)
        applicants.keep_from(tx, bo, NOW)
        applicants.keep_from(tx, bo, LONG_AGO)  # never earlier again
        found = {one.name: one.form for one in applicants.every(tx, "nord")}
        assert found == {"Ane": answers, "Bo": None}
        assert applicants.every(tx, "syd") == []
    with store.engine.begin() as tx:
        policy, kind = RetentionPolicy(), RetentionClass.APPLICANTS
        assert retention.due(tx, policy, NOW)[kind] == 1
        retention.drop_some(tx, policy, kind, NOW, "test")
        assert [one.name for one in applicants.every(tx, None)] == ["Bo"]
        assert [one.applicant for one in applicants.participants_of(tx, [interview])] == [bo]
        assert [one.id for one in applicants.listed_interviews(tx, "nord", NOW)] == [interview]
        applicants.cancel(tx, interview, NOW)
        assert applicants.listed_interviews(tx, "nord", LONG_AGO) == []
