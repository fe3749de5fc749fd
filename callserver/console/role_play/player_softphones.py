"""The softphones of a role-play call, the same for both players: offered, signed in, called, simulated."""

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from callserver.console.endpoint import OpenRequest
from callserver.console.phone.simulated_telephone import Telephones, followed
from callserver.console.phone.softphone import (
    SoftphoneCredentials,
    SoftphoneOffer,
    SoftphoneView,
)
from callserver.domain.role_play import LONGEST, Player, softphone
from callserver.engine.applicants.role_play_legs import RolePlayLegs
from callserver.errors import NotFound


class PlayerSoftphones:
    """The endpoints check who may use one: the interviewer by account, the applicant by cookie."""

    def __init__(
        self, legs: RolePlayLegs, offer: SoftphoneOffer, telephones: Telephones | None
    ) -> None:
        self._legs = legs
        self._offer = offer
        self._telephones = telephones

    @property
    def are_simulated(self) -> bool:
        """Whether the simulated network plays them."""
        return self._telephones is not None

    def view(self, role_play: int, player: Player) -> SoftphoneView:
        return self._offer.view(softphone(role_play, player))

    async def hand_out(
        self, request: OpenRequest, role_play: int, player: Player, interviewer: int
    ) -> SoftphoneCredentials:
        """Credentials for this call only; the earlier ones end."""
        name = softphone(role_play, player)
        exchange = self._offer.of_role_play(role_play)
        return await self._offer.hand_out(
            request, name, interviewer, LONGEST, calls_in=False, exchange=exchange
        )

    async def ring(self, role_play: int, player: Player) -> None:
        await self._legs.ring(role_play, player)

    def follow(
        self, role_play: int, player: Player, may_still: Callable[[], Awaitable[bool]]
    ) -> Response:
        """Act as the player's telephone while this answer is read.

        Raises:
            NotFound: the network is not simulated.
        """
        if self._telephones is None:
            raise NotFound("not found", key="not_found")
        return followed(self._telephones, f"client:{softphone(role_play, player)}", may_still)
