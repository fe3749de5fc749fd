"""Twilio's error codes as troubles. An unknown code may concern the number or the account: the number is
set aside, and several of them in a row stop the campaign. One of the account or of the request says nothing about
the number, and neither does an answer without a code of Twilio's."""

from callserver.ports import Trouble

UNAUTHORIZED = 401
REQUEST_TIMEOUT = 408
NOT_FOUND_STATUS = 404
RETRY_AFTER = 429
TOO_MANY_REQUESTS = 20429
LABEL_IN_USE = 16026
NOT_FOUND = 20404
WRONG_STATE = 21220

_BAD_NUMBER = (21201, 21211, 21214, 21216, 21217, 13223, 13224, 13225, 32203)
_STOP = (
    *(20003, 20005, 20008, 10001, 10004, 16021),  # credentials, account, concurrency
    *(21210, 21212, 13214, 13247),  # our caller id
)
_REFUSED = (
    21215,
    13227,
    32205,
    21219,
    21203,
    21401,
)  # countries and numbers that the account may not call
_ROOM_GONE = (16003, 16020, 16022, NOT_FOUND)
_SMALLEST_CODE = 10_000
"""twilio-python puts the HTTP status in the place of a code that is not there: something between us and Twilio
answered."""

_NO_NUMBERS = (*range(10_000, 11_000), *range(20_000, 21_000))
"""Codes of accounts and of REST requests."""

_BUG = (21205, 21208, 21209, 21218, 21234, 21262, 21263, 21626, 16024)

TROUBLES = {
    **dict.fromkeys(_NO_NUMBERS, Trouble.STOP),
    **dict.fromkeys(_BAD_NUMBER, Trouble.BAD_NUMBER),
    **dict.fromkeys(_REFUSED, Trouble.REFUSED),
    **dict.fromkeys(_STOP, Trouble.STOP),
    **dict.fromkeys(_ROOM_GONE, Trouble.ROOM_GONE),
    **dict.fromkeys(_BUG, Trouble.BUG),
    TOO_MANY_REQUESTS: Trouble.LATER,
}


def code(written: object) -> int:
    """A reply's code as a number; 0 when there is none."""
    text = str(written)
    return int(text) if text.isdecimal() else 0


def trouble(status: int, code: int) -> Trouble | None:
    """The trouble that a refusal means; None when a telephone may ring nevertheless.

    With 5xx and 408 the order may have gone through, whatever the code; and with an answer that is not Twilio's:
    a proxy may have withheld the one to an order. A 429 is "too many requests at once", unless its code says that it
    is too many calls.
    """
    if status >= 500 or status == REQUEST_TIMEOUT:
        return None
    if status == RETRY_AFTER:
        return TROUBLES.get(code, Trouble.LATER)
    if status == UNAUTHORIZED:
        return Trouble.STOP
    if 0 < code < _SMALLEST_CODE:
        return None
    return TROUBLES.get(code, Trouble.ROOM_GONE if status == NOT_FOUND_STATUS else Trouble.REFUSED)
