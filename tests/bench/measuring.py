"""Measuring side by side: interleaved rounds, medians, and the spread of the same against itself."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `good` compares what was measured with the aim."""

    what: str
    measured: str
    peer: str
    limit: str
    aim: str
    good: bool


def timed(work: Callable[[], object]) -> float:
    """Processor seconds of this process: what else the machine does counts as little as possible."""
    began = time.process_time()
    work()
    return time.process_time() - began


def side_by_side(rounds: int, *works: Callable[[], object]) -> tuple[list[float], float]:
    """Median seconds of each, in interleaved rounds; and the A/A spread of the first."""
    timings: list[list[float]] = [[] for _ in works]
    again: list[float] = []
    for number in range(rounds):
        for position in sorted(range(len(works)), key=lambda index: (index + number) % len(works)):
            timings[position].append(timed(works[position]))
        again.append(timed(works[0]))
    medians = [statistics.median(times) for times in timings]
    spread = abs(statistics.median(again) / medians[0] - 1)
    return medians, spread


def percentile(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
