"""The names by which Asterisk knows our things, and which of them may be dialed at all.

No text from people ever becomes part of a name, a dial string or the dialplan: numbers, lines and ids
are matched whole against what stands here, and anything else is refused.
"""

import re

TRUNK = "trunk"

TELEPHONES = "callserver-telephones"
"""The dialplan's context of people's telephones: it only leads to the phoner's own room."""

NUMBER = re.compile(r"\+[1-9][0-9]{5,14}", re.ASCII)
_SOFTPHONE = re.compile(r"(?:phoner|listener|telephone)_[1-9][0-9]{0,17}", re.ASCII)
_SIP = re.compile(r"sip:([a-z]+_[0-9]+)(?:@[A-Za-z0-9.-]{1,100})?", re.ASCII)
_ROOM = re.compile(r"seat-([0-9]{1,18})-[0-9A-Za-z]{1,40}", re.ASCII)
_ATTEMPT = re.compile(r"[0-9a-z]{1,40}", re.ASCII)
_PHONER = "-phoner"


def softphone(name: str) -> str | None:
    """The name, if it is that of a softphone or a SIP telephone of ours."""
    return name if _SOFTPHONE.fullmatch(name) else None


def endpoint(line: str) -> str | None:
    """What a phoner's line is to Asterisk; None when it is none of ours.

    `client:phoner_7` is a browser, `sip:telephone_7` a SIP telephone, `+45…` goes by the trunk.
    """
    if line.startswith("client:"):
        found = softphone(line.removeprefix("client:"))
        return None if found is None else f"PJSIP/{found}"
    if sip := _SIP.fullmatch(line):
        found = softphone(sip[1])
        return None if found is None else f"PJSIP/{found}"
    return by_trunk(line)


def by_trunk(number: str) -> str | None:
    """A number at the carrier; None when it is none."""
    return f"PJSIP/{number}@{TRUNK}" if NUMBER.fullmatch(number) else None


def phoner_leg(room: str) -> str:
    """The channel of the phoner whom we ring into a room."""
    return room + _PHONER


def seat_of_leg(leg: str) -> int | None:
    """Whose leg it is, if we rang it in."""
    return seat_of_room(leg.removesuffix(_PHONER)) if leg.endswith(_PHONER) else None


def seat_of_room(room: str) -> int | None:
    """The seat that a bridge is the room of."""
    found = _ROOM.fullmatch(room)
    return None if found is None else int(found[1])


def is_attempt(channel: str) -> bool:
    """Whether the channel is a contact's: its id is the attempt's. Asterisk's own have a dot."""
    return _ATTEMPT.fullmatch(channel) is not None
