"""A phoner, a user of each other role, and a check of every listener."""

import hashlib
import hmac
from datetime import datetime
from pathlib import Path
from typing import Any

from callserver.database import accounts
from callserver.domain.behaviour.checker import Checker
from callserver.domain.behaviour.entry import Entry
from callserver.domain.role import Role
from callserver.engine.accounts.authentication import hash_of
from callserver.ports import Tx
from callserver.simulator import asgi
from callserver.simulator.legs import Conference, Leg
from tests.harness.simulated import SimulatedSystem

SUPERVISOR, OTHER, ADMINISTRATOR, LEADER, TRAINEE = 21, 22, 23, 24, 25


class ListeningSystem(SimulatedSystem):
    """A phoner, a user of each other role, and a check whenever a listener joins or leaves."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, **more)
        self.disturbed: list[str] = []
        self.alone: list[str] = []
        self._watch()
        self.write(self.employ)

    def employ(self, tx: Tx) -> None:
        for user, role, department in (
            (SUPERVISOR, Role.SUPERVISOR, "nord"),
            (OTHER, Role.SUPERVISOR, "syd"),
            (ADMINISTRATOR, Role.ADMINISTRATOR, None),
            (LEADER, Role.LEADER, None),
            (TRAINEE, Role.PHONER, "nord"),
        ):
            self.add_token_user(tx, user, f"u{user}", role, department)

    def _watch(self) -> None:
        """Whether anything between phoner and contact changes when a listener comes or goes."""
        network = self.network
        join, leave, reserve = network.join, network.remove, network.reserve

        def pairs(room: Conference | None) -> set[tuple[str, str]]:
            parties = [] if room is None else room.parties()
            heard = room.hears if room is not None else None
            return {
                (party.sid, other.sid)
                for party in parties
                for other in parties
                if heard is not None and heard(party, other)
            }

        def watched(leg: Leg, room: Conference | None, act: Any) -> None:
            before = pairs(room)
            act()
            if not leg.starts and pairs(room) != before:
                self.disturbed.append(leg.sid)

        def joined(leg: Leg) -> None:
            room = network.rooms[leg.conference or ""]
            watched(leg, room, lambda: join(leg))

        def left(leg: Leg, why: str) -> None:
            room = network.rooms.get(leg.conference or "")
            watched(leg, room, lambda: leave(leg, why))

        def reserved(room: Conference, leg: Leg) -> None:
            reserve(room, leg)
            if leg.to.startswith("+") and not room.parties():
                self.alone.append(leg.to)

        network.join, network.remove, network.reserve = joined, left, reserved  # type: ignore[method-assign]

    async def ask(
        self, method: str, path: str, body: Any = None, *, user: int = SUPERVISOR
    ) -> tuple[int, dict[str, Any]]:
        return await self.api(method, path, body, phoner=user)

    async def sign(self, user: int = TRAINEE) -> None:
        """The user signs what they are asked to."""
        _, mine = await self.ask("GET", "/training", user=user)
        for document in mine["documents"]:
            body = {"document": document["key"], "version": document["version"]}
            assert (await self.ask("POST", "/training/signatures", body, user=user))[0] == 200

    async def be_present(self, user: int = SUPERVISOR) -> None:
        """The page /floor of a supervisor who is signed in says that they are there."""
        now, cookie = self.clock.now(), f"s{user}"
        hashed = hash_of(cookie)

        def sign_in(tx: Tx) -> None:
            accounts.close_session(tx, hashed)
            accounts.open_session(tx, hashed, user, now)
            accounts.change_session(tx, hashed, code_given=True)

        self.write(sign_in)
        secret = self.server.ctx.secret
        csrf = hmac.digest(secret, f"csrf:{cookie}".encode(), hashlib.sha256).hex()
        headers = [(b"cookie", f"session={cookie}".encode()), (b"x-csrf", csrf.encode())]
        url = f"{self.plan.public_url}/api/v1/presence"
        status, reply = await asgi.call(self.app, "POST", url, headers, b"{}")
        assert status == 200, reply

    async def listen(
        self, mode: str = "silent", *, user: int = SUPERVISOR, seat: int = 1, **more: Any
    ) -> int:
        body = {"seat": seat, "mode": mode, "why": "quality", **more}
        return (await self.ask("POST", "/listenings", body, user=user))[0]

    async def stop(self, user: int = SUPERVISOR) -> int:
        return (await self.ask("POST", "/listenings/stop", {}, user=user))[0]

    async def talking(self, phoner: int = 1) -> None:
        await self.on_shift(phoner)
        await self.ready(phoner)
        await self.pass_time(6)
        assert (await self.seat(phoner))["state"] == "talking"

    def ear(self, user: int = SUPERVISOR) -> Leg | None:
        """The listener's leg, as long as it lives."""
        line = f"client:listener_{user}"
        return next(
            (
                leg
                for leg in reversed(self.network.legs.values())
                if leg.live and leg.far_end == line
            ),
            None,
        )

    def seat_leg(self, phoner: int = 1) -> Leg:
        """The phoner's own leg."""
        line = f"client:phoner_{phoner}"
        return next(leg for leg in self.network.legs.values() if leg.live and leg.far_end == line)

    def hearers(self, speaker: Leg) -> set[str]:
        """Who hears this leg just now, by their lines."""
        room = self.network.rooms.get(speaker.conference or "")
        if room is None:
            return set()
        return {leg.far_end for leg in room.legs.values() if room.hears(leg, speaker)}

    def heard(self, ear: Leg) -> set[str]:
        """Whom this leg hears just now."""
        room = self.network.rooms.get(ear.conference or "")
        if room is None:
            return set()
        return {leg.far_end for leg in room.legs.values() if room.hears(ear, leg)}

    def check(self) -> None:
        """What must hold at every moment."""
        assert not self.disturbed
        assert not self.alone
        assert not self.network.listening_record.beeps
        for voice in self.network.listening_record.stays:
            assert len(voice.heard_by) <= (voice.level == 2)
        for room in self.network.rooms.values():
            for leg in room.legs.values():
                if leg.starts:
                    continue
                hearers = self.hearers(leg)
                assert not leg.muted or not hearers
                assert leg.coach is None or all("phoner" in hearer for hearer in hearers)
        for ring in self.network.record:
            assert ring.heard != "silence"

    def violations(self) -> list[str]:
        """What the checker of the log says about listening."""
        checker = Checker()
        for number, body in enumerate(self.entries()):
            checker.entry(Entry(number, datetime.fromisoformat(body["at"]), body["kind"], body))
        about = ("listening-right", "no-listener", "voice-in-room")
        return [str(found) for found in checker.violations if found.rule in about]


PHONER, CONTACT = "client:phoner_1", "+4532200000"
