"""`callserver asterisk local`: an exchange on this machine only, for development and tests."""

import secrets
from pathlib import Path
from random import SystemRandom

from callserver.adapters.asterisk import config_files
from callserver.adapters.config_folder import load
from callserver.cli import asterisk_files, resources
from callserver.cli.free_ports import MEDIA, free_port
from callserver.settings import Settings, as_environment


def local(folder: asterisk_files.Folder) -> None:
    """Write settings and configuration of an exchange on this machine only: FOLDER/env, FOLDER/etc.

    Free ports of 127.0.0.1, a new password, no TLS; for development and tests
    (scripts/asterisk starts it). Its trunk is a port where a simulated carrier may listen.
    The server with these settings keeps its key, database and files in FOLDER as well.

    Example: callserver asterisk local /tmp/exchange
    """
    own, settings = folder.resolve(), prepared(folder, resources.settings())
    settings = settings.model_copy(
        update={
            "key": secrets.token_hex(32),
            "database": f"sqlite:///{own}/callserver.db",
            "seal_key": own / "seal.key",
            "seals": own / "seals.jsonl",
            "uploads": own / "uploads",
            "messages": own / "messages",
        }
    )
    asterisk_files.write_one(own / "env", as_environment(settings, *WRITTEN))


WRITTEN = ("provider", "asterisk_", "key", "database", "seal", "uploads", "messages")
"""The beginnings of the settings in FOLDER/env."""


def prepared(folder: Path, settings: Settings) -> Settings:
    """The settings with such an exchange; its configuration is written to FOLDER/etc."""
    folder = folder.resolve()
    http, sip, trunk = free_port(), free_port(), free_port()
    rtp = SystemRandom().choice(MEDIA[::1_000])
    settings = settings.model_copy(
        update={
            "provider": "asterisk",
            "asterisk_url": f"http://127.0.0.1:{http}",
            "asterisk_softphone_url": f"ws://127.0.0.1:{http}/ws",
            "asterisk_password": secrets.token_urlsafe(24),
            "asterisk_trunk": f"sip:127.0.0.1:{trunk};transport=udp",
            "asterisk_bind": "127.0.0.1",
            "asterisk_sip_port": sip,
            "asterisk_rtp_ports": f"{rtp}-{rtp + 999}",
            "asterisk_sounds": str(folder / "sounds"),
            "asterisk_secure": False,
        }
    )
    (folder / "etc").mkdir(parents=True, exist_ok=True)
    shown = {campaign.caller_id for campaign in load(settings.config).campaigns.values()}
    for name, text in config_files.render(settings, shown).items():
        asterisk_files.write_one(folder / "etc" / name, text)
    return settings
