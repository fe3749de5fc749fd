"""`callserver asterisk`: an own exchange: its files, prompts, telephones and state."""

import secrets
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

import typer

from callserver.adapters.asterisk import exchange_file, prompts, softphones
from callserver.adapters.config_folder import load
from callserver.cli import asterisk_check, asterisk_files, asterisk_local, resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.database import accounts, audit
from callserver.database import softphones as stored_softphones
from callserver.database.accounts import User
from callserver.database.softphones import Softphone
from callserver.domain.audit import EntryKind
from callserver.domain.role import Role
from callserver.engine import user_lines
from callserver.engine.context import LineContext
from callserver.engine.shifts import exchange_choice
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import Settings, allowed_sip_hosts


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Configure and check an Asterisk exchange of your own.", no_args_is_help=True
    )
    commands = (
        asterisk_files.config,
        prompts_,
        telephone,
        asterisk_check.check,
        asterisk_local.local,
    )
    for command in commands:
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="asterisk")


def prompts_(folder: asterisk_files.Folder) -> None:
    """Make the prompts that called people hear, with a free synthesiser (espeak-ng and sox).

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


def telephone(
    handle: Annotated[str, typer.Argument(help="the user name")], by: InWords = BY_COMMAND
) -> None:
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
                user_lines.enter(tx, terms, user.id, line, now, by)
            audit.append(tx, now, EntryKind.USER, user=user.id, did="telephone", by=by)
            addresses = [_address(one, own) for one, own in _exchanges_of(tx, settings, user, line)]
    print(f"user name  {name}\npassword   {password}")
    for address in addresses:
        print(f"address    {address}")
    if entered or user.line == line:
        print(f"line       {line}, written into the account of {handle}")
    else:
        print(f"line       {line}; the account of {handle} keeps {user.line}")
    print("A running server tells the exchange within a second.")


def _exchanges_of(
    tx: Tx, settings: Settings, user: User, line: str
) -> Iterator[tuple[str, Settings]]:
    """Where the telephone signs in: a phoner's at the exchange of their seat, a listener's at each."""
    each = exchange_file.exchanges(settings)
    names = [name for name in each if name]
    if names and user.role == Role.PHONER:
        name = exchange_choice.of_phoner(tx, names, user, line, resources.now(tx))
        yield name, each[name]
    else:
        yield from each.items()


def _address(name: str, settings: Settings) -> str:
    """The address at which SIP telephones reach the exchange."""
    transport = "TLS, SRTP" if settings.asterisk_secure else "UDP"
    at = f", exchange {name}" if name else ""
    return f"{_sip_host(name, settings)}:{settings.asterisk_sip_port} ({transport}{at})"


def _sip_host(name: str, settings: Settings) -> str:
    """The host of the exchange: usually the name in its certificate."""
    if not settings.asterisk_secure:
        return settings.asterisk_bind
    if name:
        return settings.asterisk_address or urlsplit(settings.asterisk_url).hostname or ""
    return urlsplit(settings.public_url).hostname or settings.asterisk_address
