"""SMS by Twilio's Messages resource. A create is never repeated: it is not idempotent."""

import httpx
import structlog

from callserver.adapters.twilio import errors
from callserver.adapters.twilio.client import LOST, NOTHING_SENT, REFUSED, HttpxTwilio, client
from callserver.domain.message import Delivery, Message
from callserver.settings import Settings

log = structlog.get_logger(__name__)

_THIS_NUMBER = (
    *(21211, 21214, 21217, 21408),  # no number, or a country that we do not send to
    *(21610, 21612, 21614, 21635),  # has said stop; cannot get SMS
)


class TwilioSms:
    """`settings.sms_from`: a number of the account, or the name of a sender."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._from = settings.sms_from
        self._client = client(settings, HttpxTwilio(http, settings.api_url))

    async def send(self, message: Message) -> Delivery:
        try:
            await self._client.messages.create_async(
                to=message.to, from_=self._from, body=message.text
            )
        except NOTHING_SENT as error:
            return self._note(Delivery.LATER, message, type(error).__name__)
        except REFUSED as error:
            status, code = int(error.status), errors.code(error.code)
            return self._note(_meaning(status, code), message, code)
        except LOST as error:
            return self._note(Delivery.UNKNOWN, message, type(error).__name__)
        return Delivery.SENT

    @staticmethod
    def _note(delivery: Delivery, message: Message, why: object) -> Delivery:
        log.warning("sms_not_sent", message=message.key, delivery=delivery.value, why=why)
        return delivery


def _meaning(status: int, code: int) -> Delivery:
    if status >= 500 or status == errors.REQUEST_TIMEOUT:
        return Delivery.UNKNOWN
    return Delivery.REFUSED if code in _THIS_NUMBER else Delivery.LATER
