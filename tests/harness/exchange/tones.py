"""Each party its own tone: who hears whom is measured by Goertzel's filter on what telephones receive."""

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from tests.harness.exchange.sip import Packet

RATE = 8000
PACKET = 160
LOUD = 6000
"""A tone's amplitude as it is sent, of 32767: four of them together are not clipped."""


def _expanded(code: int) -> int:
    """One A-law code as a sample (G.711)."""
    code ^= 0x55
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return size if code & 0x80 else -size


EXPANDED = [_expanded(code) for code in range(256)]
_ORDERED = sorted(range(256), key=lambda code: EXPANDED[code])


def _compressed(sample: float) -> int:
    return min(_ORDERED, key=lambda code: abs(EXPANDED[code] - sample))


def tone(hertz: int) -> Callable[[int], bytes]:
    """What a telephone speaks: packet after packet of one tone; a multiple of 50 Hz fits in whole."""
    assert hertz % 50 == 0
    sound = bytes(
        _compressed(LOUD * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(PACKET)
    )
    return lambda _: sound


def strength(packets: Iterable[Packet], hertz: int) -> float:
    """The tone's amplitude in what was heard, as a share of what was sent; 0 when nothing was."""
    samples = [EXPANDED[code] for packet in packets for code in packet.sound]
    if not samples:
        return 0
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    power = max(0.0, last * last + before * before - factor * last * before)
    return 2 * math.sqrt(power) / len(samples) / LOUD


def whom(packets: Iterable[Packet], tones: Mapping[str, int]) -> set[str]:
    """Whose tones are heard. A tone between loud and silent is an error.

    Raises:
        AssertionError: a tone is heard in part only.
    """
    heard = list(packets)
    strengths = {name: strength(heard, hertz) for name, hertz in tones.items()}
    unclear = {name: share for name, share in strengths.items() if 0.02 < share < 0.5}
    assert not unclear, f"heard in part: {unclear}"
    return {name for name, share in strengths.items() if share >= 0.5}


def breaks(packets: Iterable[Packet]) -> list[tuple[str, int]]:
    """Where the stream breaks: a sequence number or time that is not the next, or another source."""
    heard_tones = []
    heard = list(packets)
    for before, after in pairwise(heard):
        steps = (after.sequence - before.sequence) & 0xFFFF
        passed = (after.stamp - before.stamp) & 0xFFFFFFFF
        if after.source != before.source:
            heard_tones.append(("source", 0))
        elif steps != 1:
            heard_tones.append(("sequence", steps))
        elif passed != PACKET:
            heard_tones.append(("time", passed))
    return heard_tones
