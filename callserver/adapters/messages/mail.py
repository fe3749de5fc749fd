"""An e-mail as it is sent: plain text in UTF-8, with an id by which a second copy can be recognised."""

from email.message import EmailMessage

from callserver.domain.message import Message


def composed(message: Message, sender: str) -> EmailMessage:
    """The e-mail. `sender`: an address, or a name with an address in angle brackets; empty: none."""
    mail = EmailMessage()
    if sender:
        mail["From"] = sender
    mail["To"] = message.to
    mail["Subject"] = " ".join(message.subject.split())
    domain = sender.rpartition("@")[2].rstrip(">") or "localhost"
    mail["Message-ID"] = f"<callserver-{message.key}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail
