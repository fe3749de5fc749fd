"""Rooms of role-play calls on the exchange: two softphones in a bridge that ends when one of them leaves.

Only the owner of the event stream uses it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from callserver.adapters.asterisk import channel_names
from callserver.adapters.asterisk.bridging import ROOM_TYPE, join
from callserver.adapters.asterisk.client import Ari
from callserver.domain import role_play
from callserver.domain.instruction import JoinRolePlay
from callserver.domain.role_play import Player
from callserver.provider_events import RolePlays


class RolePlayRooms:
    """The bridge of each leg."""

    def __init__(self, ari: Ari, engine: RolePlays) -> None:
        self._ari = ari
        self._engine = engine
        self._rooms: dict[str, str] = {}

    def forget(self) -> None:
        self._rooms.clear()

    async def look_up_all(self, bridges: Sequence[Mapping[str, Any]]) -> None:
        """After a start or a break: remember who is in which room. The engine asks about each leg."""
        for bridge in bridges:
            if role_play.role_play_of(bridge["id"]) is None:
                continue
            if not bridge["channels"]:
                await self._ari.delete("bridges", bridge["id"])
            for leg in bridge["channels"]:
                self._rooms[leg] = bridge["id"]

    async def answered(self, leg: str, call: int, player: Player) -> None:
        """A softphone was answered: put it into the room that the engine names, or end it."""
        if leg in self._rooms:
            return
        instruction = await self._engine.role_play_asks(call, player, leg)
        if isinstance(instruction, JoinRolePlay):
            room = instruction.room
            await self._ari.post("bridges", room, type=ROOM_TYPE)
            if (await join(self._ari, room, leg)).ok:
                self._rooms[leg] = room
                return
        await self._ari.delete("channels", leg)

    async def ended(self, leg: str) -> bool:
        """A leg has ended; whether it was one of a role-play call. The other one in its room ends too."""
        player = channel_names.role_player(leg)
        if player is None:
            return False
        room = self._rooms.pop(leg, None)
        if room is not None:
            for other in [other for other, inside in self._rooms.items() if inside == room]:
                await self._ari.delete("channels", other)
            await self._ari.delete("bridges", room)
        await self._engine.role_play_leg_ended(*player, leg)
        return True
