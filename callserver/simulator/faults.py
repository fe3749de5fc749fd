"""What may go wrong in the simulated network, each with its probability."""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities per event; zero is a perfect network."""

    doubled: float = 0.0  # a callback comes twice
    delayed: float = 0.0  # ... late, by up to `delay_seconds`
    dropped: float = 0.0  # ... never
    reply_lost: float = 0.0  # an order is carried out, and its reply does not arrive
    order_lost: float = 0.0  # an order does not arrive, and so no reply does
    too_many: float = 0.0  # 429
    broken: float = 0.0  # 500, the order not carried out
    broken_after: float = 0.0  # 500, the order carried out
    redirect_refused: float = 0.0  # 429 to new instructions for a leg that is there
    redirect_broken: float = 0.0  # 500, not carried out
    redirect_broken_after: float = 0.0  # 500, carried out
    hang_up_refused: float = 0.0  # the same for a leg that is to end
    hang_up_broken: float = 0.0
    hang_up_broken_after: float = 0.0
    early: float = 0.0  # a callback comes before the reply to its order
    leg_dies_ringing: float = 0.0  # the phoner's leg, while a contact's telephone rings
    leg_dies_talking: float = 0.0
    typed_line: float = 0.0  # a phoner asks to be rung in at a telephone that is not her own
    delay_seconds: float = 45.0

    def any(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self) if one.name != "delay_seconds")


NONE = Faults()
ALL = replace(
    NONE,
    doubled=0.05,
    delayed=0.03,
    dropped=0.01,
    reply_lost=0.01,
    order_lost=0.01,
    too_many=0.01,
    broken=0.005,
    broken_after=0.005,
    redirect_refused=0.03,
    redirect_broken=0.02,
    redirect_broken_after=0.02,
    hang_up_refused=0.03,
    hang_up_broken=0.02,
    hang_up_broken_after=0.02,
    early=0.02,
    leg_dies_ringing=0.005,
    leg_dies_talking=0.005,
    typed_line=0.3,
)
"""Every fault at once, far more often than in any real evening."""
