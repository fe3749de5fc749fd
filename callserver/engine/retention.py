"""What is kept for a time only; the scheduler drops it every hour.

sessions            14 hours after sign-in, or 2 hours idle (accounts/authentication.py)
tokens              30 days after they ended
attempt counters    24 hours after the last attempt (domain/attempt_limits.py)
devices             90 days after the last sign-in (database/attempt_counters.py)
softphone sign-ins  until they end
processed events    7 days (database/processed_events.py)
refused rows        7 days after the import (lists/refused_rows.py)
"""

from datetime import datetime, timedelta

from callserver.database import accounts, attempt_counters, imports, processed_events, softphones
from callserver.engine.accounts.authentication import IDLE, LASTS
from callserver.engine.lists import refused_rows
from callserver.ports import Store, Tx

TOKENS_KEPT_FOR = timedelta(days=30)
"""After they ended: long enough to see in the list which one a machine still uses."""


async def forget_old(store: Store, now: datetime) -> None:
    """Drop what was kept long enough."""

    def work(tx: Tx) -> None:
        accounts.drop_old_sessions(tx, now - LASTS, now - IDLE)
        accounts.drop_expired_tokens(tx, now - TOKENS_KEPT_FOR)
        attempt_counters.forget_old(tx, now)
        softphones.forget_ended(tx, now)
        processed_events.forget_old(tx, now)
        imports.forget_refused(tx, now - refused_rows.KEPT_FOR)

    await store.run(work)
