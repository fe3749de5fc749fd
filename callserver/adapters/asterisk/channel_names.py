"""Names of Asterisk's channels, bridges and endpoints, and the endpoints that may be dialed.

No user's text becomes part of a name, a dial string or the dialplan: numbers, lines and ids are matched
whole against the patterns here, and anything else is refused.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from callserver.domain.line import CONFIRMS
from callserver.domain.listening import Mode
from callserver.domain.role_play import Player

TRUNK = "trunk"

TELEPHONES = "callserver-telephones"
"""The dialplan's context of users' telephones: it only leads to the phoner's own room."""

NOWHERE = "callserver-nowhere"
"""The context of the softphones of role-play calls: it has no extension, so that they call nobody."""

NUMBER = re.compile(r"\+[1-9][0-9]{5,14}", re.ASCII)
FORMATS = ("+45", "45", "0045", "national")
"""How carriers write +4532123400: +4532123400, 4532123400, 004532123400, 32123400."""

NATIONAL_DIGITS = 8

_HOME = "+45"
_URI = re.compile(r"(?:sips?|tel):(\+?[0-9]{3,20})(?=[@;>]|$)", re.ASCII)
_SOFTPHONE = re.compile(
    r"(?:phoner|listener|telephone|applicant|interviewer)_[1-9][0-9]{0,17}", re.ASCII
)
_SIP = re.compile(r"sip:([a-z]+_[0-9]+)(?:@[A-Za-z0-9.-]{1,100})?", re.ASCII)
_ROOM = re.compile(r"seat-([0-9]{1,18})-[0-9A-Za-z]{1,40}", re.ASCII)
_ATTEMPT = re.compile(r"[0-9a-z]{1,40}", re.ASCII)
_PHONER = "-phoner"
_LISTENER = re.compile(r"listening-([0-9]{1,18})", re.ASCII)
_BROWSER = re.compile(r"listener_([0-9]{1,18})", re.ASCII)
_ROLE_PLAYER = re.compile(r"role-play-([1-9][0-9]{0,17})-([a-z]+)-[0-9a-f]{1,40}", re.ASCII)
_SNOOP = "~"


def softphone(name: str) -> str | None:
    """The name, if it is a softphone's or SIP telephone's on this exchange."""
    return name if _SOFTPHONE.fullmatch(name) else None


def endpoint(line: str) -> str | None:
    """Asterisk's endpoint for a user's line; None if there is none.

    `client:phoner_7` is a browser, `sip:telephone_7` a SIP telephone, `+45…` is reached by the trunk.
    """
    if line.startswith("client:"):
        name = softphone(line.removeprefix("client:"))
        return None if name is None else f"PJSIP/{name}"
    if sip := _SIP.fullmatch(line):
        name = softphone(sip[1])
        return None if name is None else f"PJSIP/{name}"
    return by_trunk(line)


def by_trunk(number: str, how: str = FORMATS[0]) -> str | None:
    """The endpoint of a number at the carrier, in one of FORMATS; None for anything else."""
    return f"PJSIP/{written(number, how)}@{TRUNK}" if NUMBER.fullmatch(number) else None


def written(number: str, how: str) -> str:
    """An E.164 number in one of FORMATS; abroad, `0045` and `national` both begin with 00."""
    if how == "national" and number.startswith(_HOME):
        return number.removeprefix(_HOME)
    if how in ("0045", "national"):
        return "00" + number[1:]
    return number[1:] if how == "45" else number


def callers_number(written: str) -> str:
    """A caller's number as it can be read: some carriers write one from abroad without its plus."""
    has_code = len(written) > NATIONAL_DIGITS and written[0] not in "+0"
    return "+" + written if has_code else written


def own_number_in(header: str, shown: Iterable[str]) -> str | None:
    """The number, among those that we show, in a SIP header (To, P-Called-Party-ID); None: none of them."""
    match = _URI.search(header)
    if match is None:
        return None
    return next(
        (number for number in shown if match[1] in {written(number, how) for how in FORMATS}), None
    )


def phoner_leg(room: str) -> str:
    """The channel of the phoner whom we ring into a room."""
    return room + _PHONER


def seat_of_leg(leg: str) -> int | None:
    """The seat of a phoner's leg that we rang."""
    return seat_of_room(leg.removesuffix(_PHONER)) if leg.endswith(_PHONER) else None


def seat_of_room(room: str) -> int | None:
    """The seat whose room a bridge is."""
    match = _ROOM.fullmatch(room)
    return None if match is None else int(match[1])


def is_attempt(channel: str) -> bool:
    """Whether the channel is a contact's: its id is the attempt's. Ids made by Asterisk contain a dot."""
    return _ATTEMPT.fullmatch(channel) is not None


def confirms_line(channel: str) -> bool:
    """Whether the attempt calls a number to confirm it as a user's line."""
    return is_attempt(channel) and channel.startswith(CONFIRMS)


def listener_leg(listening: int) -> str:
    """The channel of a listener whom we ring."""
    return f"listening-{listening}"


def listening_of(leg: str) -> int | None:
    """The listening for which a leg was called."""
    match = _LISTENER.fullmatch(leg)
    return None if match is None else int(match[1])


def listener_of(softphone: str) -> int | None:
    """The listener whose browser it is, if it is a listener's."""
    match = _BROWSER.fullmatch(softphone)
    return None if match is None else int(match[1])


def is_role_players(softphone: str) -> bool:
    """Whether it is the softphone of a role-play call."""
    return softphone.startswith(tuple(f"{player}_" for player in Player))


def role_play_leg(role_play: int, player: Player, token: str) -> str:
    """The channel of a player in a role-play call; `token` tells one call to them from the next."""
    return f"role-play-{role_play}-{player}-{token}"


def role_player(leg: str) -> tuple[int, Player] | None:
    """The role-play call and the player whose leg it is."""
    match = _ROLE_PLAYER.fullmatch(leg)
    if match is None or match[2] not in set(Player):
        return None
    return int(match[1]), Player(match[2])


class SnoopChannel(NamedTuple):
    """The parts of a snoop channel's name: the listener's leg, the mode, and the phoner's leg."""

    leg: str
    mode: Mode
    phoner: str


def snoop_channel_name(leg: str, mode: Mode, phoner: str) -> str:
    """The name of the snoop channel through which a listener's leg hears a phoner's; equal for equal orders."""
    return _SNOOP.join((leg, mode, phoner))


def snoop_channel(channel: str) -> SnoopChannel | None:
    """The parts of the name, if it is a snoop channel's."""
    leg, _, rest = channel.partition(_SNOOP)
    mode, _, phoner = rest.partition(_SNOOP)
    return SnoopChannel(leg, Mode(mode), phoner) if phoner and mode in set(Mode) else None


def snoop_bridge_of(leg: str) -> str:
    """The bridge of a listener's leg and its snoop channel."""
    return leg + _SNOOP


def leg_of_snoop_bridge(bridge: str) -> str | None:
    """The listener's leg, if the bridge is that of a listener's leg."""
    leg, mark, rest = bridge.partition(_SNOOP)
    return leg if mark and not rest else None
