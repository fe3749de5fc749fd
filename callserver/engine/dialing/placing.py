"""The provider's answer to an order to place a call, even if the order fails."""

from collections.abc import Awaitable

import structlog

from callserver.domain.permit import PermitVoid
from callserver.ports import Declined, Placed, Silent, Trouble

log = structlog.get_logger(__name__)


async def answer_to(
    order: Awaitable[Placed | Declined | Silent], attempt: str
) -> Placed | Declined | Silent:
    """Await the order. After an error of our own nobody knows whether a telephone rings: silent."""
    try:
        return await order
    except PermitVoid:
        return Declined(Trouble.LATER, 0, "the permit was too old")
    except Exception:
        log.exception("place_failed", attempt=attempt)
        return Silent("our own error")
