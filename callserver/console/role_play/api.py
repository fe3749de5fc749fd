"""The applicant's side of a role-play call. They have no account: a code lets one browser in, once.

The browser keeps a cookie that is sent to these addresses only. It ends with the call, and gives no other
right. Code and cookie never stand in an address.
"""

from pydantic import Field
from starlette.responses import Response

from callserver.console.endpoint import (
    KEY_HEADER,
    Access,
    Answer,
    Body,
    Done,
    Endpoint,
    Nothing,
    OpenRequest,
)
from callserver.console.phone.softphone import SoftphoneCredentials, SoftphoneView
from callserver.console.role_play import script
from callserver.console.role_play.player_api import PlayerApi
from callserver.database import applicants
from callserver.database.role_plays import RolePlayRow
from callserver.domain.role_play import End, Player
from callserver.engine.applicants import role_plays
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

COOKIE = "role_play"
PATH = "/api/v1/role-play"


class Code(Body):
    code: str = Field(min_length=1, max_length=40)


class GuestView(Answer):
    """What the applicant sees."""

    name: str  # their own
    script: str  # HTML
    started: bool  # both are in the room


class RolePlayApi(PlayerApi):
    """What the applicant does; without the cookie of an open call nothing is found."""

    def endpoints(self) -> list[Endpoint]:
        guest = Access.OPEN
        played = Endpoint("POST", "/role-play/softphone/played", guest, self.follow)
        return [
            Endpoint("GET", "/role-play", guest, self.mine),
            Endpoint("POST", "/role-play/enter", guest, self.enter),
            Endpoint("GET", "/role-play/softphone", guest, self.softphone),
            Endpoint("POST", "/role-play/softphone", guest, self.sign_in),
            Endpoint("POST", "/role-play/ring", guest, self.ring),
            Endpoint("POST", "/role-play/end", guest, self.end),
            *([played] if self._softphones.are_simulated else []),
        ]

    async def enter(self, request: OpenRequest, body: Code) -> GuestView:
        """Enter the code that the interviewer told me; it works once, and again for the same request's key."""
        address = self._authenticator.source(request.http).network
        sent = request.http.headers.get(KEY_HEADER, "")
        entered = await self._ctx.store.run(
            lambda tx: role_plays.enter(tx, self._ctx, body.code, address, sent)
        )
        if entered is None:
            raise Impossible("the code is wrong, was used or is too old", key="role_play_code")
        row, token = entered
        secure = self._authenticator.secure

        def let_in(response: Response) -> None:
            response.set_cookie(
                COOKIE, token, path=PATH, secure=secure, httponly=True, samesite="strict"
            )

        request.then.append(let_in)
        return await self._view(request, row)

    async def mine(self, request: OpenRequest) -> GuestView:
        """The call that this browser has joined."""
        return await self._view(request, await self._row(request))

    async def softphone(self, request: OpenRequest) -> SoftphoneView:
        """The kind of softphone of this server, and its name for this call."""
        row = await self._row(request)
        return self._softphones.view(row.id, Player.APPLICANT)

    async def sign_in(self, request: OpenRequest, body: Nothing) -> SoftphoneCredentials:
        """Credentials for this call only; the earlier ones end."""
        del body
        row = await self._row(request)
        now, player = self._ctx.clock.now(), Player.APPLICANT
        await self._ctx.store.run(lambda tx: role_plays.count_connection(tx, row.id, player, now))
        return await self._softphones.hand_out(request, row.id, player, row.interviewer)

    async def ring(self, request: OpenRequest, body: Nothing) -> Done:
        """Ring my softphone into the room."""
        del body
        row = await self._row(request)
        await self._softphones.ring(row.id, Player.APPLICANT)
        return Done()

    async def end(self, request: OpenRequest, body: Nothing) -> Done:
        """End the call."""
        del body
        now, cookie = self._ctx.clock.now(), self._cookie(request)

        def work(tx: Tx) -> None:
            role_plays.end(tx, role_plays.of_guest(tx, cookie), End.HUNG_UP, now)

        await self._ctx.store.run(work)
        return Done()

    async def follow(self, request: OpenRequest, body: Nothing) -> Response:
        """Act as my telephone of this call while this answer is read."""
        del body
        row = await self._row(request)

        async def may_still() -> bool:
            try:
                await self._row(request)
            except NotFound:
                return False
            return True

        return self._softphones.follow(row.id, Player.APPLICANT, may_still)

    async def _row(self, request: OpenRequest) -> RolePlayRow:
        cookie = self._cookie(request)
        return await self._ctx.store.read(lambda tx: role_plays.of_guest(tx, cookie))

    async def _view(self, request: OpenRequest, row: RolePlayRow) -> GuestView:
        applicant = await self._ctx.store.read(lambda tx: applicants.find(tx, row.applicant))
        name = "" if applicant is None else applicant.name
        campaign = self._ctx.rules.known(row.campaign)
        return GuestView(
            name=name,
            script=script.rendered(self._ctx.rules, campaign, name, request.language),
            started=row.started_at is not None,
        )

    @staticmethod
    def _cookie(request: OpenRequest) -> str:
        return request.http.cookies.get(COOKIE, "")
