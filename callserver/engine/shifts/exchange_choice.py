"""The exchange of a seat, where there are several. It stays the same, also from one shift to the next."""

from collections.abc import Sequence
from datetime import datetime

from callserver.database import exchange_states, seats
from callserver.database.accounts import User
from callserver.database.seats import SeatRow
from callserver.domain.line import LineKind, kind
from callserver.domain.seat import SeatState
from callserver.ports import Tx


def of_phoner(tx: Tx, names: Sequence[str], user: User, line: str | None, now: datetime) -> str:
    """The exchange of the phoner's seat: the one at which the telephone on this line signs in."""
    row = seats.open_for(tx, user.id, user.department, now)
    return choose(tx, names, row, line, now)


def choose(tx: Tx, names: Sequence[str], row: SeatRow, line: str | None, now: datetime) -> str:
    """The seat's exchange: the one that it has, else the one with the fewest seats.

    It changes between shifts only, and only if the exchange is not named any more, or does not answer while
    another does. A SIP telephone is set to one exchange, and stays there.
    """
    if row.state != SeatState.OFF:
        return row.exchange
    away = exchange_states.away(tx, now) if names else set()
    possible = [name for name in names if name not in away] or names
    stays = line is not None and kind(line) is LineKind.SIP
    if row.exchange in (names if stays else possible):
        return row.exchange
    counts = seats.at_exchanges(tx)
    able = [name for name in possible if not exchange_states.cannot_call(tx, name, now)]
    chosen = min(able or possible, key=lambda name: counts.get(name, 0), default="")
    if chosen != row.exchange:
        seats.set_line(tx, row.id, exchange=chosen)
    return chosen
