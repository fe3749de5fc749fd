"""What the API of either player of a role-play call is made with."""

from callserver.console.authentication import Authenticator
from callserver.console.role_play.player_softphones import PlayerSoftphones
from callserver.engine.context import EngineContext


class PlayerApi:
    """The interviewer's or the applicant's."""

    def __init__(
        self,
        ctx: EngineContext,
        softphones: PlayerSoftphones,
        authenticator: Authenticator,
    ) -> None:
        self._ctx = ctx
        self._softphones = softphones
        self._authenticator = authenticator
