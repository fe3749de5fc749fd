"""Is a published decision right? Its facts are checked against their sealed commitment, then every rule is
asked again.

A withheld field is unknown and counts as harmless. If the answer then differs only in reasons that the field
may cause or remove, the decision is not reported as wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from callserver.domain import commitment, hours, phone
from callserver.domain.audit import UNREADABLE
from callserver.domain.commitment import OpenedField
from callserver.domain.configuration import Configuration
from callserver.domain.fact_lines import facts_of
from callserver.domain.permit import reasons_against
from callserver.domain.policy import Policy
from callserver.domain.reason import Reason

EVERY = ("",)
BY_DATE = ("BASIS_GIFT", "SUP_", "SYS_CALENDAR")
"""Asked on the latest date in the zones, or where it is another year."""

MAY_CHANGE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("now", "policy", "revision", "seg", "purpose", "error"), EVERY),
    "num": (),  # country, kind and zones stand beside it
    **dict.fromkeys(
        ("country", "kind", "zones"), ("NUM_", "TIME_", "FREQ_", "PERSON_MINOR", *BY_DATE)
    ),
    "ring_seconds": ("TIME_",),
    "cli": ("CLI_",),
    "person": ("PERSON_", "TIME_", "FREQ_", *BY_DATE),
    "dob": (),  # of_age stands beside it
    "of_age": ("PERSON_MINOR",),
    "rel": ("SUP_", "BASIS_"),
    "consent": ("SUP_", "NUM_REASSIGNED"),
    "sup": ("SUP_",),
    **dict.fromkeys(("ext_listed", "ext_unsure"), ("SUP_EXTERNAL",)),
    **dict.fromkeys(("ext_checked_at", "ext_missing"), ("SYS_EXTLIST",)),
    **dict.fromkeys(("attempts", "refused_at", "not_now_until", "abandoned_at"), ("FREQ_",)),
    "callback": ("TIME_", "FREQ_", "BASIS_ROW"),
    "reassigned_at": ("NUM_REASSIGNED",),
    "bad_number": ("NUM_BAD",),
    "number_refused": ("NUM_REFUSED",),
    "active_call": ("FREQ_ACTIVE",),
    "source_known": ("BASIS_SOURCE",),
    "row_refused": ("BASIS_ROW",),
    "own_number": ("NUM_OWN",),
    "agent_reserved": ("CAMP_NO_AGENT", "FREQ_ABANDON"),
    "agent": ("AGENT_",),
    "camp": ("CAMP_",),
    "sys": ("SYS_",),
}
"""Every field of a line, with prefixes of the reasons that it may cause or remove."""

INSTEAD = {"num": ("country", "kind", "zones"), "dob": ("of_age",)}
"""Fields that may be withheld without a loss, while these are opened."""


@dataclass(frozen=True, slots=True)
class Published:
    """A decision's line as it is published: what is opened, and the digests of what is withheld."""

    fields: Mapping[str, OpenedField]
    withheld: Mapping[str, bytes]

    @property
    def facts(self) -> dict[str, Any]:
        return {name: field.value for name, field in self.fields.items()}

    @property
    def unknown(self) -> set[str]:
        """The withheld fields that leave the answer open."""
        return {
            name
            for name in self.withheld
            if not all(other in self.fields for other in INSTEAD.get(name, (name,)))
        }


def read(line: Mapping[str, Any]) -> Published:
    """A line of decisions.jsonl.

    Raises:
        ValueError: it is none.
    """
    try:
        salts, facts = line["salts"], line["facts"]
        fields = {name: OpenedField(bytes.fromhex(salts[name]), facts[name]) for name in facts}
        withheld = {name: bytes.fromhex(text) for name, text in line.get("digests", {}).items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no line of a decision: {error}") from None
    if len({field.salt for field in fields.values()}) != len(fields):
        raise ValueError("a salt is used twice")
    if any(len(field.salt) != commitment.SALT_BYTES for field in fields.values()):
        raise ValueError("a salt has 16 bytes")
    if set(line) - {"leaf", "facts", "salts", "digests"} or set(salts) != set(facts):
        raise ValueError("a line of a decision has leaf, facts, salts and digests")
    if set(fields) & set(withheld) or not {*fields, *withheld} <= set(MAY_CHANGE):
        raise ValueError("a field is unknown, or opened and withheld")
    return Published(fields, withheld)


def is_sealed(published: Published, root: str) -> bool:
    """Whether these are the facts that the entry commits to."""
    opened = {name: commitment.digest(name, field) for name, field in published.fields.items()}
    return commitment.root({**opened, **published.withheld}) == root


def findings(
    entry: Mapping[str, Any], published: Published, configuration: Configuration | None
) -> Iterator[str]:
    """The problems of the decision, in words. Without a configuration only the facts are checked."""
    facts = published.facts
    for name, entry_name in (("now", "at"), ("revision", "revision")):
        if name in facts and facts[name] != entry.get(entry_name):
            yield f"the facts have another {name} than the entry"
    if _place_differs(facts):
        yield "the number has another country, kind or zone than its facts say"
    if configuration is None:
        return
    try:
        again = recomputed({"now": entry.get("at"), **facts}, configuration)
        given = set(map(str, entry.get("reasons") or ()))
    except UNREADABLE as error:
        yield f"the facts cannot be read, or the reasons: {error}"
        return
    open_to = tuple(start for name in published.unknown for start in MAY_CHANGE[name])
    wrong = {reason for reason in again ^ given if not reason.startswith(open_to)}
    if wrong and entry["kind"] == "permitted":
        yield f"the facts do not permit this call: {_listed(wrong)}"
        return
    if wrong & again:
        yield f"the refusal lacks reasons: {_listed(wrong & again)}"
    if wrong & given:
        yield f"the facts do not give these reasons: {_listed(wrong & given)}"


def recomputed(facts: Mapping[str, Any], configuration: Configuration) -> set[str]:
    """The reasons against the call; none: it is permitted.

    Raises:
        ValueError, TypeError, KeyError: a decision cannot have these facts.
    """
    if facts.get("error"):
        return {Reason.SYS_ERROR.value}
    policy = _policy(facts, configuration)
    return {reason.value for reason in reasons_against(facts_of(facts, policy))}


def _policy(facts: Mapping[str, Any], configuration: Configuration) -> Policy | None:
    """The policy with the close guard of the campaign's ring time."""
    known = configuration.policies.get(str(facts.get("policy")))
    ring_seconds = facts.get("ring_seconds")
    if known is None or ring_seconds is None:
        return known
    return hours.guarded(known, int(ring_seconds))


def _place_differs(facts: Mapping[str, Any]) -> bool:
    if "num" not in facts:
        return False
    number = str(facts["num"])
    said = {
        "country": phone.country(number),
        "kind": phone.kind(number).value,
        "zones": list(phone.zones(number)),
    }
    return any(name in facts and facts[name] != value for name, value in said.items())


def _listed(reasons: set[str]) -> str:
    return ", ".join(sorted(reasons))
