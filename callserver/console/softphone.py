"""The softphone in the browser: which kind this house has, for assets/softphone.js to build on."""

from typing import Literal

from callserver.console.endpoint import Answer, Asked, Endpoint
from callserver.domain.role import Action
from callserver.engine import lines
from callserver.settings import Settings


class SoftphoneView(Answer):
    """`none`: this house has no softphone; the page says what is missing."""

    kind: Literal["none", "twilio", "simulated", "sip"]
    identity: str


class Softphone:
    """What the page's own telephone needs to know."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/softphone", Action.PHONE, self.softphone)]

    async def softphone(self, asked: Asked) -> SoftphoneView:
        """The kind of softphone of this house, and my name in it."""
        return SoftphoneView(
            kind="twilio" if self._settings.api_key else "none",
            identity=lines.browser(asked.user).removeprefix("client:"),
        )
