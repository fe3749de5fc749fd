"""Starts the follow-ups of a commit in the background: one table from kinds to handlers."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from callserver.engine.applicants.role_play_legs import RolePlayLegs
from callserver.engine.background import Background
from callserver.engine.calls.hangups import Hangups
from callserver.engine.calls.phoner_legs import PhonerLegs
from callserver.engine.cases.messages import MessageDelivery
from callserver.engine.dialing.dialer import Dialer
from callserver.engine.dialing.line_confirmation import LineConfirmation
from callserver.engine.listening.leg_orders import ListenerLegOrders
from callserver.outbox import (
    ApologiseToLeg,
    CheckListenerLeg,
    CheckPhonerLeg,
    CheckRolePlayLeg,
    DialSeat,
    EndCalls,
    EndListenerLeg,
    EndRolePlayLegs,
    FollowUp,
    HangUpLeg,
    MoveListener,
    PlaceCall,
    PlaceConfirmationCall,
    RingListener,
    RingPhoner,
    SendMessages,
)


@dataclass(frozen=True, slots=True)
class FollowUps:
    """The handlers of follow-ups. The store calls `start`."""

    background: Background
    dialer: Dialer
    hangups: Hangups
    phoner_legs: PhonerLegs
    listener_orders: ListenerLegOrders
    line_confirmation: LineConfirmation
    messages: MessageDelivery
    role_play_legs: RolePlayLegs

    def start(self, follow_ups: Sequence[FollowUp]) -> None:
        for follow_up in follow_ups:
            self.background.start(self._handled(follow_up))

    def _handled(self, follow_up: FollowUp) -> Coroutine[Any, Any, None]:  # noqa: C901, PLR0912 - one table
        match follow_up:
            case DialSeat(seat):
                return self.dialer.dial(seat)
            case PlaceCall():
                return self.dialer.place(follow_up)
            case PlaceConfirmationCall(permit, slot):
                return self.line_confirmation.place(permit, slot)
            case EndCalls():
                return self.hangups.end_calls()
            case HangUpLeg(leg):
                return self.hangups.hang_up(leg)
            case ApologiseToLeg(leg, attempt):
                return self.hangups.apologise(leg, attempt)
            case RingPhoner(seat):
                return self.phoner_legs.ring(seat)
            case CheckPhonerLeg(leg):
                return self.phoner_legs.check(leg)
            case RingListener():
                return self.listener_orders.ring(follow_up)
            case MoveListener():
                return self.listener_orders.move(follow_up)
            case EndListenerLeg():
                return self.listener_orders.end(follow_up)
            case CheckListenerLeg(listening, leg):
                return self.listener_orders.check(listening, leg)
            case EndRolePlayLegs(role_play):
                return self.role_play_legs.end_legs(role_play)
            case CheckRolePlayLeg():
                return self.role_play_legs.check(follow_up)
            case SendMessages():
                return self.messages.send_due()
            case _:
                assert_never(follow_up)
