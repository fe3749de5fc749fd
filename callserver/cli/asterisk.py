"""`callserver asterisk`: an own exchange: its files, prompts, telephones and state."""

import asyncio
import difflib
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from random import SystemRandom
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import typer

from callserver.adapters.asterisk import (
    config_files,
    pjsip,
    prompts,
    registrations,
    softphones,
    trunk,
)
from callserver.adapters.asterisk.client import Ari, Lost
from callserver.adapters.config_folder import load
from callserver.cli import resources
from callserver.cli.free_ports import MEDIA, free_port
from callserver.database import accounts, audit
from callserver.database import softphones as stored_softphones
from callserver.database.softphones import Softphone
from callserver.domain.audit import EntryKind
from callserver.engine import user_lines
from callserver.engine.context import LineContext
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings, allowed_sip_hosts, as_environment

CONNECT_S = 5.0
RELOADED = ("res_pjsip.so", "pbx_config.so", "res_ari.so")
_NEEDED = {"res_srtp.so", "res_stasis_snoop.so", "func_timeout.so", "func_callerid.so"}
_OPEN = {"res_pjsip_endpoint_identifier_anonymous.so"}
_SECRET = re.compile(r"^([-+ ]?(?:auth_)?password = ).*$", re.MULTILINE)

Folder = Annotated[Path, typer.Argument(help="a folder; made when absent")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Configure and check an Asterisk exchange of your own.", no_args_is_help=True
    )
    for command in (config, prompts_, telephone, check, local):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="asterisk")


def config(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option(help="only say what would change")] = False,
    reload: Annotated[bool, typer.Option(help="let a running Asterisk read them")] = False,
) -> None:
    """Write Asterisk's configuration from the settings and the numbers that campaigns show.

    Prints the changes, without secrets. Users' telephones are not in files: the server pushes them to
    the exchange, and removes them again.

    Example: callserver asterisk config /etc/asterisk --dry-run
    """
    settings = resources.settings()
    shown = {campaign.caller_id for campaign in load(settings.config).campaigns.values()}
    changed = _write(folder, config_files.render(settings, shown), dry_run=dry_run)
    if not changed:
        print("nothing has changed")
    if dry_run:
        return
    restart = sorted(changed & {"http.conf", "rtp.conf", "modules.conf", "sorcery.conf"})
    if restart:
        print(f"Asterisk must be restarted for {', '.join(restart)}")
    if reload:
        asyncio.run(_with_ari(settings, lambda ari: _reload(settings, ari)))


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
            _write_one(file, text)
    return changed


def _write_one(file: Path, text: str) -> None:
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


async def _with_ari(settings: Settings, work: Callable[[Ari], Awaitable[None]]) -> None:
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
    old = await _outdated_transports(settings, ari)
    if old:
        print(f"Asterisk must be restarted: it still uses the former {', '.join(old)}")


async def _outdated_transports(settings: Settings, ari: Ari) -> list[str]:
    """The transports that Asterisk still runs as before: it changes them only at a restart."""
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


def prompts_(folder: Folder) -> None:
    """Make the prompts that called people hear, by a free synthesiser (espeak-ng and sox).

    A recording of your own with the same name, in any format that Asterisk plays, is never overwritten.

    Example: callserver asterisk prompts /usr/share/asterisk/sounds/callserver
    """
    campaigns = load(resources.settings().config).campaigns.values()
    counts = dict.fromkeys(prompts.PromptResult, 0)
    for prompt, result in prompts.make(folder, prompts.all_prompts(campaigns)):
        counts[result] += 1
        if result is not prompts.PromptResult.UNCHANGED:
            print(f"{result}: {prompt.name}: {prompt.sentence}")
    print(", ".join(f"{count} {result}" for result, count in counts.items()))


def telephone(handle: Annotated[str, typer.Argument(help="the person's short name")]) -> None:
    """Print the credentials of a user's SIP telephone, only once; earlier ones end.

    The user must exist (`callserver user add`). The line `sip:telephone_N`, N being the user's id, is
    written into the account, unless another telephone is entered there.

    Example: callserver asterisk telephone maja
    """
    settings = resources.settings()
    with resources.database() as engine:
        terms = LineContext(
            resources.rules(engine, settings), settings.key.encode(), allowed_sip_hosts(settings)
        )
        with engine.begin() as tx:
            user = accounts.by_handle(tx, handle)
            if user is None or user.left_at is not None:
                raise ConfigurationProblem(
                    f"there is no user {handle!r}: add the account first (callserver user add)"
                )
            name, password = f"telephone_{user.id}", secrets.token_urlsafe(24)
            softphone = Softphone(name, user.id, softphones.digest(name, password), None)
            stored_softphones.store(tx, softphone)
            line, now = f"sip:{name}", resources.now(tx)
            entered = user.line is None or user.line.startswith("client:")
            if entered:
                user_lines.enter(tx, terms, user.id, line, now, "command")
            audit.append(tx, now, EntryKind.USER, user=user.id, did="telephone", by="command")
    transport = "TLS, SRTP" if settings.asterisk_secure else "UDP"
    print(f"user name  {name}\npassword   {password}")
    print(f"address    {_sip_host(settings)}:{settings.asterisk_sip_port} ({transport})")
    if entered or user.line == line:
        print(f"line       {line}, written into the account of {handle}")
    else:
        print(f"line       {line}; the account of {handle} keeps {user.line}")
    print("A running server tells the exchange within a second.")


def _sip_host(settings: Settings) -> str:
    """The host at which SIP telephones reach the exchange: usually the name in its certificate."""
    if not settings.asterisk_secure:
        return settings.asterisk_bind
    return urlsplit(settings.public_url).hostname or settings.asterisk_address


def check() -> None:
    """Say whether the exchange is ready for a first call, and what is missing.

    Exit code 1 when something is missing.

    Example: callserver asterisk check
    """
    settings = resources.settings()
    problems: list[str] = []
    asyncio.run(_with_ari(settings, lambda ari: _check(settings, ari, problems)))
    for problem in problems:
        typer.secho(f"  ! {problem}", fg="red")
    if problems:
        raise typer.Exit(1)
    print("  the exchange is ready")


async def _check(settings: Settings, ari: Ari, problems: list[str]) -> None:
    info = await ari.get("asterisk", "info")
    if not info.ok:
        problems.append("ASTERISK_USER and ASTERISK_PASSWORD: Asterisk refuses them")
        return
    print(f"  Asterisk {info.body['system']['version']} at {settings.asterisk_url}")
    state = await registrations.trunk_state(ari)
    print(f"  trunk: {state}")
    if state != registrations.ALIVE:
        problems.append("the trunk does not answer: nobody can be called")
    if settings.asterisk_trunk_user:
        problems += await _registration_problems(settings, ari)
    problems += [
        f"a restart is needed: {change}" for change in await _outdated_transports(settings, ari)
    ]
    if settings.asterisk_secure and not await _accepts_tls(settings):
        problems.append(
            f"nothing accepts TLS at port {settings.asterisk_sip_port} (another program may use it): "
            "no SIP telephone can sign in"
        )
    running = {module["name"] for module in (await ari.get("asterisk", "modules")).body or ()}
    problems += [f"{module} is not loaded" for module in sorted(_NEEDED - running)]
    problems += [f"{module} lets anonymous callers in" for module in sorted(_OPEN & running)]
    app = await ari.get("applications", ari.app)
    print(f"  application {ari.app}: {'a server is listening' if app.ok else 'no server yet'}")


async def _accepts_tls(settings: Settings) -> bool:
    """Whether the transport of the SIP telephones listens: Asterisk starts without it, and says nothing."""
    bind = ip_address(settings.asterisk_bind)
    host = urlsplit(settings.asterisk_url).hostname if bind.is_unspecified else str(bind)
    try:
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(host, settings.asterisk_sip_port), CONNECT_S
        )
    except OSError:
        return False
    writer.close()
    return True


async def _registration_problems(settings: Settings, ari: Ari) -> list[str]:
    """Problems of the registrations at the carrier."""
    states = await registrations.registrations(ari)
    carrier = trunk.carrier(settings)
    problems = []
    for address in filter(None, (carrier.first, carrier.second)):
        where = f"{address.host}:{address.port}" if address.port else address.host
        state = states.get(where, "missing")
        print(f"  registration at {where}: {state}")
        if state != registrations.REGISTERED:
            problems.append(
                f"the carrier has not accepted our registration at {where} ({state}): "
                "nobody can call back; see ASTERISK_TRUNK_USER and ASTERISK_TRUNK_PASSWORD"
            )
    return problems


def local(folder: Folder) -> None:
    """Write settings and configuration of an exchange on this machine only: FOLDER/env, FOLDER/etc.

    Free ports of 127.0.0.1, a new password, no TLS; for development and tests
    (scripts/asterisk starts it). Its trunk is a port where a simulated carrier may listen.

    Example: callserver asterisk local /tmp/exchange
    """
    settings = prepared(folder, resources.settings())
    _write_one(folder.resolve() / "env", as_environment(settings, "provider", "asterisk_"))


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
        _write_one(folder / "etc" / name, text)
    return settings
