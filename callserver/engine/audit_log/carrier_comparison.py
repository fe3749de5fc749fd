"""The carrier's call list against the log: calls without a permit, calls unknown to the carrier.

Calls are paired by the carrier's own id, else by number and time. The log must have permitted each.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callserver.database import audit, calls
from callserver.database.calls import OrderedCall
from callserver.domain import phone
from callserver.domain.carrier_list import CarrierCall
from callserver.domain.identity import NOBODY
from callserver.ports import Tx

TOLERANCE = timedelta(minutes=2)
"""Clocks differ, and a carrier may queue a call before it counts it as started."""


@dataclass(slots=True)
class Comparison:
    paired: int = 0
    of_colleagues: int = 0  # to telephones of the organisation's own users
    unlinked: int = 0  # the server's calls whose number was erased or whose retention period ended
    without_permit: list[CarrierCall] = field(default_factory=list)
    not_at_carrier: list[OrderedCall] = field(default_factory=list)

    @property
    def findings(self) -> list[str]:
        """In words, with masked numbers."""
        return [
            f"{call.at.isoformat()} {call.id or '-'} {_masked(call.number)}: a call without a permit"
            for call in self.without_permit
        ] + [
            f"{call.permit_at.isoformat()} {call.attempt}: the carrier does not know this call"
            for call in self.not_at_carrier
        ]


def compare(
    tx: Tx,
    listed: Sequence[CarrierCall],
    colleagues: Collection[int],
    tolerance: timedelta = TOLERANCE,
    period: tuple[datetime, datetime] | None = None,
) -> Comparison:
    """Pair the carrier's calls with the server's. `colleagues`: numbers of users' own telephones.

    `period`: the time that the list covers; by default from its first call to its last.
    """
    result = Comparison()
    if period is None and not listed:
        return result
    first, last = period or (min(call.at for call in listed), max(call.at for call in listed))
    ordered = list(calls.ordered_between(tx, first - tolerance, last + tolerance))
    permitted = audit.permitted(tx, [call.attempt for call in ordered])
    by_ref = {call.ref: call for call in ordered if call.ref}
    by_number: defaultdict[int | None, list[OrderedCall]] = defaultdict(list)
    for own in ordered:
        by_number[own.number].append(own)
    paired: set[str] = set()

    def partner(call: CarrierCall) -> OrderedCall | None:
        near = [
            own
            for own in by_number[call.number]
            if own.attempt not in paired and abs(own.permit_at - call.at) <= tolerance
        ]
        named = by_ref.get(call.id) if call.id else None
        return named or min(near, key=lambda own: abs(own.permit_at - call.at), default=None)

    for call in sorted(listed, key=lambda call: call.at):
        pair = partner(call)
        if pair is not None and pair.attempt in permitted and pair.attempt not in paired:
            paired.add(pair.attempt)
            result.paired += 1
        elif pair is None and call.number in colleagues:
            result.of_colleagues += 1
        else:
            result.without_permit.append(call)
    for own in ordered:
        if own.attempt in paired or not own.claimed or not first <= own.permit_at <= last:
            continue
        if own.number == NOBODY:
            result.unlinked += 1
        else:
            result.not_at_carrier.append(own)
    return result


def _masked(number: int | None) -> str:
    return "-" if number is None else phone.masked(phone.from_int(number))
