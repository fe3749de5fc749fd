"""Messages to people: a folder of files, SMTP for e-mail, Twilio for SMS."""

import httpx

from callserver.adapters.messages.folder import MessageFolder
from callserver.adapters.messages.smtp import MailServer, Smtp
from callserver.adapters.twilio.messages import TwilioSms
from callserver.domain.message import Delivery, Message, MessageKind
from callserver.errors import ConfigurationProblem
from callserver.ports import Messages
from callserver.settings import Settings, calls_real_people

__all__ = ["MessageFolder", "MessageRoutes", "build"]


class MessageRoutes:
    """E-mails one way, SMS another."""

    def __init__(self, email: Messages, sms: Messages) -> None:
        self.routes = {MessageKind.EMAIL: email, MessageKind.SMS: sms}

    async def send(self, message: Message) -> Delivery:
        return await self.routes[message.kind].send(message)


def build(settings: Settings, http: httpx.AsyncClient, folder: MessageFolder) -> MessageRoutes:
    """What the settings name; the folder for the rest. With a simulated network nothing leaves it.

    Raises:
        ConfigurationProblem: an address cannot be used, or something that belongs to it is missing.
    """
    email: Messages = folder
    sms: Messages = folder
    if settings.smtp_url:
        email = Smtp(MailServer.parse(settings.smtp_url), settings.smtp_from)
    if settings.sms_from:
        if not (settings.account_sid and settings.auth_token):
            raise ConfigurationProblem(
                "CALLSERVER_SMS_FROM: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN must be set"
            )
        sms = TwilioSms(settings, http)
    return (
        MessageRoutes(email, sms) if calls_real_people(settings) else MessageRoutes(folder, folder)
    )
