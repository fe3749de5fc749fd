"""Alarms by e-mail, and as JSON to an address of the operator's."""

import hashlib

import httpx
import structlog

from callserver.domain.alarm_notices import OF_CAMPAIGNS, Notice, NoticeKind
from callserver.domain.message import Delivery, Message, MessageKind
from callserver.ports import AlarmChannel, Messages
from callserver.settings import Settings
from callserver.texts import say

log = structlog.get_logger(__name__)

TIMEOUT_S = 10.0


def build(settings: Settings, http: httpx.AsyncClient, messages: Messages) -> list[AlarmChannel]:
    """The ways that the settings name."""
    channels: list[AlarmChannel] = []
    addresses = [address.strip() for address in settings.alarm_mail.split(",") if address.strip()]
    channels += [MailChannel(messages, address, settings) for address in addresses]
    if settings.alarm_webhook:
        channels.append(WebhookChannel(http, settings))
    return channels


class MailChannel:
    """E-mail to one address."""

    def __init__(self, messages: Messages, address: str, settings: Settings) -> None:
        self._messages = messages
        self._address = address
        self._language = settings.alarm_language
        self._server = settings.public_url

    async def tell(self, notice: Notice) -> bool:
        return await self._messages.send(self._message(notice)) is Delivery.SENT

    def _message(self, notice: Notice) -> Message:
        subject = say(self._language, f"alarm_notice.{notice.kind}", server=self._server)
        text = f"{sentence(notice, self._language)}\n\n{notice.raised_at.isoformat()}\n{self._server}\n"
        key = f"{self._address} {notice.key} {notice.raised_at} {notice.kind}".encode()
        number = int.from_bytes(hashlib.sha256(key).digest()[:6], "big")
        return Message(number, MessageKind.EMAIL, self._address, subject, text)


class WebhookChannel:
    """A POST of JSON; any 2xx is a receipt."""

    def __init__(self, http: httpx.AsyncClient, settings: Settings) -> None:
        self._http = http
        self._url = settings.alarm_webhook
        self._language = settings.alarm_language
        self._server = settings.public_url

    async def tell(self, notice: Notice) -> bool:
        kind, about = notice.key
        body = {
            "server": self._server,
            "status": notice.kind.value,
            "alarm": kind,
            "about": about or None,
            "campaign": about if kind in OF_CAMPAIGNS else None,
            "since": notice.raised_at.isoformat(),
            "text": sentence(notice, self._language),
        }
        try:
            reply = await self._http.post(self._url, json=body, timeout=TIMEOUT_S)
        except httpx.HTTPError as error:
            log.warning("alarm_not_told", alarm=kind, error=type(error).__name__)
            return False
        if not reply.is_success:
            log.warning("alarm_not_told", alarm=kind, status=reply.status_code)
        return reply.is_success


def sentence(notice: Notice, language: str) -> str:
    """The alarm's text as the floor page shows it; for an alarm that has ended, its name."""
    kind, about = notice.key
    if notice.kind is NoticeKind.OVER:
        return say(language, "alarm_notice.gone", alarm=kind, about=about)
    return say(language, f"alarm.{kind}", campaign=about, **notice.values)
