"""Opens the quarter's survey when it is due, and counts its answers when it is over.

All answers are opened at once, in random order, after the survey has closed. The stored results name no
person, time or order. Then the private key, the envelopes and the list of participants are removed.
"""

import secrets
from datetime import datetime
from functools import partial

import structlog

from callserver.database import audit, surveys
from callserver.database.surveys import SurveyRow
from callserver.domain import survey, survey_results
from callserver.domain.audit import EntryKind
from callserver.domain.survey import Period, SurveyState
from callserver.engine.context import EngineContext
from callserver.engine.surveys import envelopes
from callserver.engine.surveys.envelopes import KeyMissing, PrivateKeys
from callserver.ports import Tx

log = structlog.get_logger(__name__)


class SurveyQuarters:
    """The scheduler's hourly chore."""

    def __init__(self, ctx: EngineContext, keys: PrivateKeys) -> None:
        self._ctx = ctx
        self._keys = keys

    async def run(self, now: datetime) -> None:
        """Close the survey whose time is over, and open the one that is due."""
        store = self._ctx.store
        current = await store.read(surveys.open_now)
        if current is not None and current.closes_at <= now:
            try:
                await store.run(partial(self._close, row=current, now=now))
            except KeyMissing:
                log.exception("survey_key_missing", quarter=current.quarter)
                if now < current.closes_at + survey.WAIT_FOR_KEY:
                    return
                await store.run(partial(self._give_up, quarter=current.quarter, now=now))
            await store.checkpoint()  # this also removes the envelopes from the write-ahead log
            current = None
        period = survey.due(self._ctx.rules.current.survey, now)
        if current is None and period is not None:
            await store.run(partial(self._open, period=period, now=now))
        self._keys.remove(await store.read(partial(_ended, quarters=self._keys.quarters())))

    def _open(self, tx: Tx, period: Period, now: datetime) -> None:
        if surveys.find(tx, period.quarter) is not None:
            return
        configuration = self._ctx.rules.current
        public_key = self._keys.make(period.quarter)
        surveys.open_survey(tx, period, configuration.survey, configuration.revision, public_key)
        audit.append(
            tx,
            now,
            EntryKind.SURVEY,
            quarter=period.quarter,
            did="opened",
            revision=configuration.revision,
            by="scheduler",
        )

    def _close(self, tx: Tx, row: SurveyRow, now: datetime) -> None:
        locked = surveys.find(tx, row.quarter, lock=True)
        if locked is None or locked.state != SurveyState.OPEN:
            return
        key = self._keys.read(row.quarter)
        submissions = [
            envelopes.unseal(key, row.quarter, sealed)
            for sealed in surveys.envelopes(tx, row.quarter)
        ]
        results = survey_results.results(row.rules, submissions)
        texts = survey_results.words(row.rules, submissions) if results else []
        secrets.SystemRandom().shuffle(texts)
        surveys.add_results(tx, row.quarter, results)
        surveys.add_texts(tx, row.quarter, texts)
        state = SurveyState.COUNTED if results else SurveyState.TOO_FEW
        _end(tx, row.quarter, state, now)

    @staticmethod
    def _give_up(tx: Tx, quarter: str, now: datetime) -> None:
        """Close a survey whose answers cannot be opened, so that the next one can begin."""
        locked = surveys.find(tx, quarter, lock=True)
        if locked is not None and locked.state == SurveyState.OPEN:
            _end(tx, quarter, SurveyState.LOST, now)


def _ended(tx: Tx, quarters: set[str]) -> set[str]:
    """The quarters whose survey is over, which stays so. One without a survey may just be opening."""
    rows = {quarter: surveys.find(tx, quarter) for quarter in quarters}
    return {q for q, row in rows.items() if row is not None and row.state != SurveyState.OPEN}


def _end(tx: Tx, quarter: str, state: SurveyState, now: datetime) -> None:
    surveys.close(tx, quarter, state)
    audit.append(tx, now, EntryKind.SURVEY, quarter=quarter, did=state.value, by="scheduler")
