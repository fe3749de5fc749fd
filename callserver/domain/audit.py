"""Audit entries: the closed list of their kinds, their canonical form, what is stored beside them.

An entry holds ids, reasons, instants and hashes: never a name, a number or a note.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson


class EntryKind(StrEnum):
    """What an entry is about. A kind that is not in this list cannot be written."""

    CONFIGURATION = "configuration"  # a revision became active; was proposed, refused, withdrawn
    IMPORTED = "imported"
    FORGOTTEN = "forgotten"  # the facts of decisions about contacts that left their list
    RETENTION = "retention"  # what was kept long enough was dropped: how much of each class
    REMOVED = "removed"  # contacts left a list: an import was rolled back, or one was removed
    EXPORTED = "exported"  # a list or its outcomes were exported
    PERMITTED = "permitted"
    REFUSED = "refused"
    PLACED = "placed"
    DECLINED = "declined"
    NUMBER_RELEASED = "number_released"  # may be called again after a refusal by the carrier
    SILENT = "silent"
    REPORTED = "reported"  # a report changed a call's state
    STOPPED = "stopped"  # the server ended a call, and why
    APOLOGISED = "apologised"  # a person answered an empty room
    SETTLED = "settled"  # the provider was asked about a call without reports
    SEAT = "seat"  # a seat changed its state
    HAND = "hand"  # a phoner raised or lowered their hand
    SHIFT_ENDED = "shift_ended"  # a supervisor ended a phoner's shift
    EXCHANGE_CHANGED = "exchange_changed"  # a supervisor let a shift go on through another exchange
    CARD = "card"  # a contact's card was opened
    OUTCOME = "outcome"
    CORRECTED = "corrected"
    SUPPRESSED = "suppressed"
    LIFTED = "lifted"  # an opt-out was lifted: approved by a second colleague, or undone
    LIFT_PROPOSED = "lift_proposed"
    LIFT_REFUSED = "lift_refused"
    CASE = "case"  # a case was opened, handed over, answered or closed
    MESSAGE = "message"  # a message to a person was sent, or given up
    REGISTER = "register"
    REGISTER_DECIDED = "register_decided"  # whether somebody is on a register of names
    MARKED = "marked"
    MARK_ENDED = "mark_ended"  # a mark was recorded by mistake, and counts no longer
    IDENTITY = "identity"  # a user decided that two contacts are one person, or two
    CALL_BACK = "call_back"
    NOTICE = "notice"  # a notice was written, changed or removed; never a question to an expert
    # A phoner wrote, reported or booked; a supervisor answered or talked: ids only.
    SUPPORT = "support"
    SURVEY = "survey"  # a quarter's survey was opened, closed or followed up; never an answer
    INBOUND = "inbound"
    BREAKER = "breaker"  # a campaign was stopped or resumed
    CLOCK = "clock"  # the server's clock had jumped, and its time was accepted
    SIGNATURE_REFUSED = "signature_refused"
    PACE = "pace"  # a user exceeded a rate limit and was refused
    LOOKED_UP = "looked_up"  # a user looked a number up, or tried to dial one that is on no list
    LISTENING_STARTED = "listening_started"
    LISTENING_CHANGED = "listening_changed"  # another mode
    LISTENING_STOPPED = "listening_stopped"
    LISTEN_DENIED = "listen_denied"
    HEARD = "heard"  # this call had a listener
    NO_LISTENER = "no_listener"  # the person on the line does not want a listener
    AGREEMENT_UNDONE = "agreement_undone"  # it was made on wrong information
    FORM = "form"  # a listening form was filled in for a call
    FORM_COMMENT = "form_comment"  # the phoner commented on it
    LOG_SEARCHED = "log_searched"  # this log was searched
    RESTORED = "restored"  # the database was put back from a backup; what came after it is gone
    RECONCILED = "reconciled"  # the tables were compared with this log
    REWRITTEN = "rewritten"  # PostgreSQL's tables: deleted bytes are gone from their files
    VERIFIED = "verified"  # its seals were verified
    LINE = "line"  # a user's telephone: entered, confirmed, refused or called; numbers are masked
    APPLICANT = "applicant"  # added, accepted, rejected or deleted; words were written about them
    ROLE_PLAY_STARTED = "role_play_started"  # an applicant and an interviewer: nobody was called
    ROLE_PLAY_ENDED = "role_play_ended"
    INTERVIEW = "interview"  # planned or cancelled; its participants
    SIGNED = "signed"  # a user signed a version of a document
    # Shifts were credited, a conversation or attendance recorded, training ended.
    TRAINING = "training"
    USER = "user"  # an account was added, changed, reset or off-boarded
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_IN_LOCKED = "sign_in_locked"  # so many attempts failed that the next one must wait
    SIGNED_OUT = "signed_out"
    TOKEN = "token"  # noqa: S105 - a kind's name: a bearer token was made or ended


BIGGEST_ID = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Ids and instants within which everything can be stored and computed with."""

MOST_WORDS = 200
NUMBER = re.compile(r"(\d[ .()-]?){5,}")
_DATE = re.compile(r"\b(19|20)\d{2}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?\b")


def may_be_kept(words: str) -> bool:
    """Whether free text may be kept in the log: short, and without a telephone number (I10)."""
    return 0 < len(words.strip()) <= len(words) <= MOST_WORDS and not NUMBER.search(
        _DATE.sub("", words)
    )


UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What may be raised where an entry or a row has values that no server writes: a check names it, and goes on."""

_PLAIN = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def canonical(entry: Mapping[str, Any]) -> bytes:
    """The bytes that are stored, hashed and sealed: sorted keys, no spaces, UTF-8.

    Raises:
        TypeError: a value, such as an instant, has no JSON form.
    """
    return orjson.dumps(entry, option=_PLAIN)


class SearchColumns(NamedTuple):
    """What the database stores beside an entry for searching; a seal covers the entry only."""

    at: datetime
    kind: str
    contact: int | None
    call: str | None


def search_columns(body: bytes) -> SearchColumns | None:
    """What must be stored beside this entry; None: it is not an entry."""
    try:
        entry = orjson.loads(body)
        at = datetime.fromisoformat(entry["at"])
        return SearchColumns(at, entry["kind"], entry.get("contact"), entry.get("call"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def stamp(at: datetime) -> str:
    """An instant in the form used by entries: UTC, microseconds, Z."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"
