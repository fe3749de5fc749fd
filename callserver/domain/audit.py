"""The audit log's words: the closed list of entry kinds, the canonical form, the hash tree.

An entry holds ids, reasons, instants and hashes: never a name, a number or a note.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson


class Kind(StrEnum):
    """Everything that may be written. A kind that is not here cannot be written."""

    CONFIGURATION = "configuration"  # a revision became active; was proposed, refused, withdrawn
    IMPORTED = "imported"
    EXPORTED = "exported"  # a list or its outcomes were copied out
    PERMITTED = "permitted"
    REFUSED = "refused"
    PLACED = "placed"
    DECLINED = "declined"
    NUMBER_RELEASED = "number_released"  # set aside after a refusal by the carrier; called again
    SILENT = "silent"
    REPORTED = "reported"  # a report moved a call
    STOPPED = "stopped"  # we silenced a call, and why
    APOLOGISED = "apologised"  # somebody answered an empty room
    SETTLED = "settled"  # the provider was asked what became of a call
    SEAT = "seat"  # a seat changed its state
    HAND = "hand"  # a phoner asked for the supervisor, or no longer does
    SHIFT_ENDED = "shift_ended"  # somebody who leads the floor ended a shift
    CARD = "card"  # somebody opened a contact's card
    OUTCOME = "outcome"
    CORRECTED = "corrected"
    SUPPRESSED = "suppressed"
    LIFTED = "lifted"  # an opt-out has ended: approved by a second colleague, or undone
    LIFT_PROPOSED = "lift_proposed"
    LIFT_REFUSED = "lift_refused"
    REGISTER = "register"
    MARKED = "marked"
    CALL_BACK = "call_back"
    INBOUND = "inbound"
    BREAKER = "breaker"  # a campaign was stopped or resumed
    CLOCK = "clock"  # the server's clock had jumped, and its time was accepted
    SIGNATURE_REFUSED = "signature_refused"
    PACE = "pace"  # somebody did more of one thing than is allowed, and was refused
    LOOKED_UP = "looked_up"  # somebody asked who called a number, or tried one that is on no list
    LISTENING_STARTED = "listening_started"
    LISTENING_CHANGED = "listening_changed"  # another mode
    LISTENING_STOPPED = "listening_stopped"
    LISTEN_DENIED = "listen_denied"
    HEARD = "heard"  # somebody listened to this call
    NO_LISTENER = "no_listener"  # whoever is on the line does not want one
    FORM = "form"  # a listening form was filled in for a call
    LOG_SEARCHED = "log_searched"  # somebody looked at this log
    VERIFIED = "verified"  # somebody checked its seals
    LINE = "line"  # a user's telephone: entered, confirmed, refused or rung; numbers are masked
    USER = "user"  # an account was added, changed, reset or off-boarded
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_IN_LOCKED = "sign_in_locked"  # so many attempts were wrong that the next one must wait
    SIGNED_OUT = "signed_out"
    TOKEN = "token"  # noqa: S105 - a kind's name: a bearer token was made or ended


BIGGEST_ID = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Ids and instants within which everything can be stored and computed with."""

MOST_WORDS = 200
_NUMBER = re.compile(r"(\d[ .()-]?){5,}")
_DATE = re.compile(r"\b\d{4}-\d{2}(-\d{2})?\b")


def may_be_kept(words: str) -> bool:
    """Whether somebody's own words may stand in the log for ever: a few, and no number (I10)."""
    return 0 < len(words.strip()) <= len(words) <= MOST_WORDS and not _NUMBER.search(
        _DATE.sub("", words)
    )


_PLAIN = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def canonical(entry: Mapping[str, Any]) -> bytes:
    """The bytes that are stored, hashed and sealed: sorted keys, no spaces, UTF-8.

    Raises:
        TypeError: a value has no plain form in JSON, such as an instant.
    """
    return orjson.dumps(entry, option=_PLAIN)


class SearchColumns(NamedTuple):
    """What the database stores beside an entry, to search by; a seal covers the entry only."""

    at: datetime
    kind: str
    contact: int | None
    call: str | None


def search_columns(body: bytes) -> SearchColumns | None:
    """What must be stored beside this entry; None: it is no entry."""
    try:
        entry = orjson.loads(body)
        at = datetime.fromisoformat(entry["at"])
        return SearchColumns(at, entry["kind"], entry.get("contact"), entry.get("call"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def stamp(at: datetime) -> str:
    """An instant as entries carry it: UTC, microseconds, Z."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"
