"""The faults of the simulated network, each with its probability."""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities per event; zero is a perfect network."""

    doubled: float = 0.0  # a callback comes twice
    delayed: float = 0.0  # ... late, by up to `delay_seconds`
    dropped: float = 0.0  # ... never
    reply_lost: float = 0.0  # an order is carried out, and its reply is lost
    order_lost: float = 0.0  # an order is lost, so there is no reply either
    too_many: float = 0.0  # 429
    broken: float = 0.0  # 500, the order is not carried out
    broken_after: float = 0.0  # 500, the order is carried out
    redirect_refused: float = 0.0  # 429 to new instructions for an existing leg
    redirect_broken: float = 0.0  # 500, not carried out
    redirect_broken_after: float = 0.0  # 500, carried out
    hang_up_refused: float = 0.0  # the same for an order to end a leg
    hang_up_broken: float = 0.0
    hang_up_broken_after: float = 0.0
    early: float = 0.0  # a callback comes before the reply to its order
    leg_dies_ringing: float = 0.0  # the phoner's leg is lost while a contact's telephone rings
    leg_dies_talking: float = 0.0  # ... while the contact talks
    typed_line: float = 0.0  # a phoner asks to be called at a telephone that is not their own
    delay_seconds: float = 45.0

    def any(self) -> bool:
        probabilities = (field.name for field in fields(self) if field.name != "delay_seconds")
        return any(getattr(self, name) for name in probabilities)


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
"""Every fault at once, far more often than on a real evening."""
