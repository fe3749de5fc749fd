"""The interviewer's side of a role-play call: started with a code for the applicant, connected, ended."""

from starlette.responses import Response

from callserver.console.applicants.views import Begin, Begun
from callserver.console.endpoint import Answer, Done, Endpoint, Nothing, UserRequest
from callserver.console.phone.softphone import SoftphoneCredentials, SoftphoneView
from callserver.console.role_play import script
from callserver.console.role_play.player_api import PlayerApi
from callserver.database import applicants
from callserver.database.role_plays import RolePlayRow
from callserver.domain.role import Action
from callserver.domain.role_play import End, Player
from callserver.engine.applicants import role_plays
from callserver.errors import NotAllowed, NotFound
from callserver.ports import Tx


class ScriptView(Answer):
    script: str  # HTML


class InterviewerApi(PlayerApi):
    """What the interviewer does in the call that they began; any other call is not found."""

    def endpoints(self) -> list[Endpoint]:
        hire, call = Action.HIRE, "/role-plays/{role_play}"
        played = Endpoint("POST", f"{call}/softphone/played", hire, self.follow)
        return [
            Endpoint("POST", "/applicants/{applicant}/role-play", hire, self.begin),
            Endpoint("GET", f"{call}/script", hire, self.script),
            Endpoint("GET", f"{call}/softphone", hire, self.softphone),
            Endpoint("POST", f"{call}/softphone", hire, self.sign_in),
            Endpoint("POST", f"{call}/ring", hire, self.ring),
            Endpoint("POST", f"{call}/end", hire, self.end),
            *([played] if self._softphones.are_simulated else []),
        ]

    async def begin(self, request: UserRequest, applicant: int, body: Begin) -> Begun:
        """Begin a role-play call; the answer holds the applicant's code, shown only once."""
        key, code = await self._ctx.store.run(
            lambda tx: role_plays.begin(tx, self._ctx, request.user, applicant, body.campaign)
        )
        return Begun(id=key, code=code)

    async def script(self, request: UserRequest, role_play: int) -> ScriptView:
        """The script that the applicant sees."""

        def look(tx: Tx) -> tuple[RolePlayRow, str]:
            row = role_plays.of_interviewer(tx, request.user, role_play)
            applicant = applicants.find(tx, row.applicant)
            return row, "" if applicant is None else applicant.name

        row, name = await self._ctx.store.read(look)
        campaign = self._ctx.rules.known(row.campaign)
        return ScriptView(script=script.rendered(self._ctx.rules, campaign, name, request.language))

    async def softphone(self, request: UserRequest, role_play: int) -> SoftphoneView:
        """The kind of softphone of this server, and its name for this call."""
        await self._check(request, role_play)
        return self._softphones.view(role_play, Player.INTERVIEWER)

    async def sign_in(
        self, request: UserRequest, role_play: int, body: Nothing
    ) -> SoftphoneCredentials:
        """Credentials for this call only; the earlier ones end."""
        del body
        await self._check(request, role_play)
        player = Player.INTERVIEWER
        return await self._softphones.hand_out(request, role_play, player, request.user.id)

    async def ring(self, request: UserRequest, role_play: int, body: Nothing) -> Done:
        """Ring my softphone into the room."""
        del body
        await self._check(request, role_play)
        await self._softphones.ring(role_play, Player.INTERVIEWER)
        return Done()

    async def end(self, request: UserRequest, role_play: int, body: Nothing) -> Done:
        """End the call."""
        del body
        now = self._ctx.clock.now()

        def work(tx: Tx) -> None:
            row = role_plays.of_interviewer(tx, request.user, role_play)
            role_plays.end(tx, row, End.HUNG_UP, now)

        await self._ctx.store.run(work)
        return Done()

    async def follow(self, request: UserRequest, role_play: int, body: Nothing) -> Response:
        """Act as my telephone of this call while this answer is read."""
        del body
        await self._check(request, role_play)

        async def may_still() -> bool:
            try:
                await self._authenticator.authenticate(request.http, Action.HIRE)
                await self._check(request, role_play)
            except (NotAllowed, NotFound):
                return False
            return True

        return self._softphones.follow(role_play, Player.INTERVIEWER, may_still)

    async def _check(self, request: UserRequest, role_play: int) -> None:
        await self._ctx.store.read(
            lambda tx: role_plays.of_interviewer(tx, request.user, role_play)
        )
