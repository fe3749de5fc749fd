"""An interviewer, an applicant, and their two softphones on the simulated network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from callserver.database import audit, role_plays
from callserver.database.audit import LogQuery
from callserver.database.role_plays import RolePlayRow
from callserver.database.tables import role_plays as role_play_table
from callserver.domain import role_play
from callserver.domain.role import Role
from callserver.simulator import role_play_record
from callserver.simulator.legs import Leg
from tests.harness.staffed import Client, StaffedSystem

APPLICANT, INTERVIEWER = "client:applicant_1", "client:interviewer_1"


@dataclass
class RolePlay:
    """A system with an interviewer, an applicant's browser and what they do."""

    system: StaffedSystem
    interviewer: Client
    guest: Client
    applicant: int

    async def begin(self) -> str:
        reply = await self.interviewer.api(
            "POST", f"/applicants/{self.applicant}/role-play", {"campaign": "kanvas"}
        )
        assert reply.status_code == 200, reply.text
        return str(reply.json()["code"])

    async def enter(self, code: str) -> int:
        reply = await self.guest.api("POST", "/role-play/enter", {"code": code})
        return reply.status_code

    async def ring(self, *, guest: bool = True, interviewer: bool = True) -> None:
        if interviewer:
            await self.interviewer.api("POST", f"/role-plays/{self.row.id}/ring", {})
        if guest:
            await self.guest.api("POST", "/role-play/ring", {})
        await self.system.pass_time(3)

    async def talking(self) -> None:
        """Both are in the room, and hear each other."""
        assert await self.enter(await self.begin()) == 200
        await self.ring()
        assert self.row.started_at is not None
        assert self.pairs() == {(APPLICANT, INTERVIEWER), (INTERVIEWER, APPLICANT)}

    @property
    def row(self) -> RolePlayRow:
        row: RolePlayRow = self.system.read(lambda tx: role_plays.get(tx, 1))
        return row

    def legs(self) -> list[Leg]:
        """The legs that live."""
        lines = {APPLICANT, INTERVIEWER}
        return [leg for leg in self.system.network.legs.values() if leg.live and leg.to in lines]

    def all_legs(self) -> list[Leg]:
        """The legs of every role-play call that live."""
        lines = ("client:applicant_", "client:interviewer_")
        return [
            leg
            for leg in self.system.network.legs.values()
            if leg.live and leg.to.startswith(lines)
        ]

    @property
    def latest(self) -> int:
        """The last call that was begun."""
        [row] = self.system.rows(select(func.max(role_play_table.c.id)))
        return int(row[0])

    def leg(self, line: str) -> Leg:
        return next(leg for leg in self.legs() if leg.to == line)

    def pairs(self) -> set[tuple[str, str]]:
        """Who hears whom in rooms of role-play calls."""
        return {
            (ear.far_end, voice.far_end)
            for room in self.system.network.rooms.values()
            if role_play.role_play_of(room.name) is not None
            for ear in room.legs.values()
            for voice in room.legs.values()
            if room.hears(ear, voice)
        }

    async def nothing_is_left(self) -> None:
        await self.system.pass_time(20)
        assert self.legs() == []
        assert self.row.ended_at is not None
        assert (self.row.legs, self.row.look_at) == ([], None)
        for room in self.system.network.rooms.values():
            assert not room.legs, room.name
        self.check()

    def check(self) -> None:
        """Two softphones of its own, and no number."""
        record = self.system.network.listening_record
        assert role_play_record.wrongs(record.role_plays.stays) == []
        assert record.stays == []


@pytest.fixture
async def call(tmp_path: Path) -> Any:
    system = StaffedSystem(tmp_path)
    system.add_user("sigrid", Role.SUPERVISOR, "nord")
    system.add_user("anders", Role.ADMINISTRATOR, None)
    client = await system.client("sigrid")
    reply = await client.api("POST", "/applicants", {"name": "Ane Prøvesen", "department": "nord"})
    made = RolePlay(system, client, Client(system), reply.json()["applicants"][0]["id"])
    yield made
    system.close()


def kinds(system: StaffedSystem) -> list[str]:
    rows = system.read(lambda tx: audit.search(tx, LogQuery(), 500))
    return [row["kind"] for row in reversed(rows)]
