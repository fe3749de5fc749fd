"""`callserver asterisk check`: whether the exchange is ready for a first call."""

import asyncio
from ipaddress import ip_address
from urllib.parse import urlsplit

import typer

from callserver.adapters.asterisk import exchange_file, registrations, trunk
from callserver.adapters.asterisk.client import Ari
from callserver.cli import asterisk_files, resources
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

CONNECT_S = 5.0
_NEEDED = {
    *("res_srtp.so", "res_stasis_snoop.so", "func_timeout.so", "func_callerid.so"),
    *("app_stack.so", "func_channel.so", "func_global.so"),
}
_OPEN = {"res_pjsip_endpoint_identifier_anonymous.so"}


def check() -> None:
    """Say whether each exchange is ready for a first call, and what is missing.

    Exit code 1 when something is missing.

    Example: callserver asterisk check
    """
    each = exchange_file.exchanges(resources.settings())
    checked = [_is_ready(name, settings) for name, settings in each.items()]
    if not all(checked):
        raise typer.Exit(1)


def problems(settings: Settings) -> list[str]:
    """What is missing at the exchanges, each by its name where there are several."""
    found = []
    for name, own in exchange_file.exchanges(settings).items():
        try:
            _, missing = _looked_at(own)
        except ConfigurationProblem as silent:
            missing = [str(silent)]
        found += [f"{name}: {problem}" if name else problem for problem in missing]
    return found


def _is_ready(name: str, settings: Settings) -> bool:
    """Check one exchange, and say what is missing.

    Raises:
        ConfigurationProblem: the only exchange does not answer.
    """
    if name:
        print(f"{name}:")
    try:
        shown, missing = _looked_at(settings)
    except ConfigurationProblem as silent:
        if not name:
            raise
        shown, missing = [], [str(silent)]  # the others are checked as well
    for line in shown:
        print(f"  {line}")
    for problem in missing:
        typer.secho(f"  ! {problem}", fg="red")
    if not missing:
        print("  the exchange is ready")
    return not missing


def _looked_at(settings: Settings) -> tuple[list[str], list[str]]:
    """What an exchange says, and what is missing there.

    Raises:
        ConfigurationProblem: it does not answer.
    """
    shown: list[str] = []
    missing: list[str] = []
    asyncio.run(
        asterisk_files.with_ari(settings, lambda ari: _check(settings, ari, shown, missing))
    )
    return shown, missing


async def _check(settings: Settings, ari: Ari, shown: list[str], problems: list[str]) -> None:
    info = await ari.get("asterisk", "info")
    if not info.ok:
        problems.append("ASTERISK_USER and ASTERISK_PASSWORD: Asterisk refuses them")
        return
    shown.append(f"Asterisk {info.body['system']['version']} at {settings.asterisk_url}")
    state = await registrations.trunk_state(ari)
    shown.append(f"trunk: {state}")
    if state != registrations.ALIVE:
        problems.append("the trunk does not answer: nobody can be called")
    if settings.asterisk_trunk_user:
        problems += await _registration_problems(settings, ari, shown)
    problems += [
        f"a restart is needed: {change}"
        for change in await asterisk_files.outdated_transports(settings, ari)
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
    shown.append(f"application {ari.app}: {'a server is listening' if app.ok else 'no server yet'}")


async def _accepts_tls(settings: Settings) -> bool:
    """Whether the transport of the SIP telephones listens: Asterisk starts without it, without an error."""
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


async def _registration_problems(settings: Settings, ari: Ari, shown: list[str]) -> list[str]:
    """Problems of the registrations at the carrier."""
    states = await registrations.registrations(ari)
    carrier = trunk.carrier(settings)
    problems = []
    for address in filter(None, (carrier.first, carrier.second)):
        where = f"{address.host}:{address.port}" if address.port else address.host
        state = states.get(where, "missing")
        shown.append(f"registration at {where}: {state}")
        if state != registrations.REGISTERED:
            problems.append(
                f"the carrier has not accepted our registration at {where} ({state}): "
                "nobody can call back; see ASTERISK_TRUNK_USER and ASTERISK_TRUNK_PASSWORD"
            )
    return problems
