"""`callserver asterisk config`: Asterisk's configuration, written from the settings and read again."""

import asyncio
import difflib
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated

import httpx
import typer

from callserver.adapters.asterisk import config_files, exchange_file, pjsip
from callserver.adapters.asterisk.client import Ari, Lost
from callserver.adapters.config_folder import load
from callserver.cli import resources
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

RELOADED = ("res_pjsip.so", "pbx_config.so", "res_ari.so")
_SECRET = re.compile(r"^([-+ ]?(?:auth_)?password = ).*$", re.MULTILINE)

Folder = Annotated[Path, typer.Argument(help="a folder; made when absent")]


def config(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option(help="only say what would change")] = False,
    reload: Annotated[bool, typer.Option(help="let a running Asterisk read them")] = False,
    exchange: Annotated[str, typer.Option(help="which one, where there are several")] = "",
) -> None:
    """Write Asterisk's configuration from the settings and the numbers that campaigns show.

    Prints the changes, without secrets. A number that the folder has already stays, because people
    ring back. Users' telephones are not in files: the server pushes them to the exchange, and removes
    them again.

    Example: callserver asterisk config /etc/asterisk --dry-run
    """
    settings = exchange_file.named(resources.settings(), exchange)
    shown = {campaign.caller_id for campaign in load(settings.config).campaigns.values()}
    extensions = folder / "extensions.conf"
    if extensions.exists():
        shown |= config_files.written_numbers(extensions.read_text("utf-8"))
    changed = _write(folder, config_files.render(settings, shown), dry_run=dry_run)
    if not changed:
        print("nothing has changed")
    if dry_run:
        return
    restart = sorted(changed & {"http.conf", "rtp.conf", "modules.conf", "sorcery.conf"})
    if restart:
        print(f"Asterisk must be restarted for {', '.join(restart)}")
    if reload:
        asyncio.run(with_ari(settings, lambda ari: _reload(settings, ari)))


def _write(folder: Path, texts: Mapping[str, str], *, dry_run: bool) -> set[str]:
    """Write the files that differ, readable by owner and group only; their names."""
    changed = set()
    for name, text in sorted(texts.items()):
        file = folder / name
        before = file.read_text("utf-8") if file.exists() else ""
        if before == text:
            continue
        changed.add(name)
        lines = difflib.unified_diff(
            _SECRET.sub(r"\1•••", before).splitlines(),
            _SECRET.sub(r"\1•••", text).splitlines(),
            str(file),
            str(file),
            lineterm="",
        )
        print("\n".join(lines) or f"{file}: a password")
        if not dry_run:
            folder.mkdir(parents=True, exist_ok=True)
            write_one(file, text)
    return changed


def write_one(file: Path, text: str) -> None:
    """Write a file atomically, never readable by others."""
    temporary = file.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
    if file.exists():  # it may belong to Asterisk's group
        before = file.stat()
        temporary.chmod(before.st_mode & 0o777)
        os.chown(temporary, before.st_uid, before.st_gid)
    temporary.replace(file)


async def with_ari(settings: Settings, work: Callable[[Ari], Awaitable[None]]) -> None:
    async with httpx.AsyncClient() as http:
        try:
            await work(Ari(settings, http))
        except Lost as lost:
            raise ConfigurationProblem(
                f"Asterisk does not answer at {settings.asterisk_url} ({lost})"
            ) from lost


async def _reload(settings: Settings, ari: Ari) -> None:
    for module in RELOADED:
        reply = await ari.put("asterisk", "modules", module)
        if not reply.ok:
            raise ConfigurationProblem(f"Asterisk did not reload {module}: HTTP {reply.status}")
    print("Asterisk has read its configuration again")
    old = await outdated_transports(settings, ari)
    if old:
        print(f"Asterisk must be restarted: it still uses the former {', '.join(old)}")


async def outdated_transports(settings: Settings, ari: Ari) -> list[str]:
    """The transports that Asterisk still runs unchanged: it changes them only at a restart."""
    wanted, changed = pjsip.transports(settings), []
    for name in ("secure", "plain"):
        reply = await ari.get("asterisk", "config", "dynamic", "res_pjsip", "transport", name)
        running = (
            {attribute["attribute"]: attribute["value"] for attribute in reply.body}
            if reply.ok
            else None
        )
        if (running is None) != (name not in wanted):
            changed.append(f"transport {name!r}")
            continue
        for key, value in wanted.get(name, {}).items():
            if running is not None and str(running.get(key)).lower() != value.lower():
                changed.append(f"{key} of transport {name!r} ({running.get(key)})")
    return changed
