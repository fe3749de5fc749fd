"""What a request makes is made once, however often the request is sent (Idempotency-Key).

A person whose page got no answer presses again; the page sends the same key (assets/api.js). The key is stored
in the transaction that makes something, so it is kept exactly if that is.
"""

from collections.abc import Callable
from datetime import datetime

from callserver.database import sent_requests
from callserver.ports import Tx


def once(tx: Tx, sent: str, now: datetime, make: Callable[[], int | None]) -> int:
    """What `make` returns, now or when the same request came first: an id, or None, which is 0.

    `sent` names the request; a request without a key has no name, and makes something each time.
    """
    if not sent:
        return make() or 0
    if not sent_requests.first_time(tx, sent, now):
        return sent_requests.made_by(tx, sent)
    made = make() or 0
    sent_requests.keep(tx, sent, made)
    return made
