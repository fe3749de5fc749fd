"""What the telephone network may report about a call, and what each report makes of it.

The network is outside the server: it may report twice, late, in any order or never. So nothing here says when
a report comes, only what it can mean. A server that infers more has a fault.
"""

from collections.abc import Mapping

from callserver.domain.behaviour.entry import Breach, Entry

STATES: Mapping[str, str] = {
    "taken": "dialing",  # the network accepted the order
    "no_reply": "silent",  # nobody knows whether it did: the telephone may ring (I7)
    "rang": "ringing",
    "answered": "talking",
    "hung_up": "ended",
    "not_answered": "ended",
    "busy": "ended",
    "failed": "ended",
    "machine": "ended",
    "cancelled": "ended",
    "declined": "ended",  # the network refused the order: no telephone rang
    "never_placed": "ended",  # asked later, the network knows of no such call
}
"""Report -> the state that it leads to."""

CAUSES: Mapping[str, str] = {
    "hung_up": "completed",
    "not_answered": "no_answer",
    "busy": "busy",
    "failed": "unreachable",
    "machine": "machine",
    "cancelled": "cancelled",
    "declined": "declined",
    "never_placed": "never_placed",
}
"""Report that ends a call -> how the call ended."""

NOTHING_RANG = frozenset({"declined", "never_placed"})
"""Causes of calls that reached no telephone."""


LATE: Mapping[str, str] = {"answered": "completed", "rang": "unreachable"}
"""Report that comes after the end -> how the call ended, as is known now."""


def report_breaches(
    entry: Entry, *, rang: bool, answered: bool, ended_as: str = ""
) -> list[Breach]:
    """What is wrong with a report of a call that rang, or was answered, by what the log says so far.

    `ended_as`: the cause of a call that has ended already.
    """
    report, state, cause = entry.text("report"), entry.text("state"), entry.text("cause")
    if report not in STATES:
        return [Breach("network-report", f"the network cannot report {report!r}")]
    breaches = []
    if report != "no_reply" and not ended_as and state != STATES[report]:
        breaches.append(Breach("network-report", f"the report {report} does not make it {state}"))
    if state == "ended" and report != "no_reply":
        allowed = {CAUSES.get(report, "")}
        if ended_as:
            allowed = {ended_as, LATE.get(report, ended_as)}
        elif answered:  # whatever final status the network gives an answered call
            allowed = {"completed", "machine"}
        elif rang and report == "declined":
            allowed = {"unreachable"}  # it rang after all
        if cause not in allowed | ({"completed"} if report == "cancelled" else set()):
            breaches.append(Breach("network-cause", f"{report} does not end a call as {cause!r}"))
    return breaches
