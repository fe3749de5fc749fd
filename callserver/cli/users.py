"""`callserver user` and `callserver token`: who works here, and how they and their machines sign in."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import resources
from callserver.database import accounts
from callserver.database.accounts import User
from callserver.domain.role import Action, Role
from callserver.engine.accounts import administration, offboarding, tokens
from callserver.engine.accounts.administration import AccountDetails
from callserver.engine.accounts.authentication import new_password
from callserver.engine.context import LineContext
from callserver.engine.user_lines import LineRefused
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import allowed_sip_hosts
from callserver.texts import say

Handle = Annotated[str, typer.Argument(help="the person's short name")]


def register(app: typer.Typer) -> None:
    user = typer.Typer(help="People and their sign-in.", no_args_is_help=True)
    user.command("add")(add)
    user.command("reset")(reset)
    user.command("off-board")(off_board)
    user.command("list")(listing)
    app.add_typer(user, name="user")
    token = typer.Typer(help="Bearer tokens for machines.", no_args_is_help=True)
    token.command("add")(add_token)
    token.command("drop")(drop_token)
    token.command("list")(list_tokens)
    app.add_typer(token, name="token")


def add(
    handle: Annotated[str, typer.Argument(help="a short unique name, like maja")],
    role: Annotated[Role, typer.Option(help="what they may do")] = Role.PHONER,
    department: Annotated[str | None, typer.Option(help="the department's key")] = None,
    name: Annotated[str, typer.Option(help="as colleagues see it")] = "",
    line: Annotated[
        str | None,
        typer.Option(
            help="how the person is called for a shift: +45… (to be confirmed by a call), or sip:NAME@HOST at "
            "a host of CALLSERVER_SIP_HOSTS; without it the browser"
        ),
    ] = None,
    shift: Annotated[
        int, typer.Option(help="which shift this is: 1 listens only, 2 needs a supervisor")
    ] = 99,
    policy_ack: Annotated[bool, typer.Option(help="has acknowledged the security policy")] = True,
) -> None:
    """Add a person; prints their id and a password for the first sign-in, shown this once.

    Example: callserver user add maja --department nord
    """
    settings = resources.settings()
    if line is not None and not settings.key:
        raise ConfigurationProblem("CALLSERVER_KEY must be set: without it no line can be checked")
    given = AccountDetails(
        name=name or handle,
        role=role,
        department=department,
        line=line,
        shifts=shift,
        policy_ack=policy_ack,
        mentor=None,
    )
    password, kept = new_password()
    with resources.database() as engine:
        rules = resources.rules(engine, settings)
        terms = LineContext(rules, settings.key.encode(), allowed_sip_hosts(settings))
        try:
            with engine.begin() as tx:
                now = resources.now(tx)
                key = administration.add(tx, terms, handle, given, kept, now=now, by="command")
        except LineRefused as error:
            raise ConfigurationProblem(
                f"line {line!r}: {say('en', f'error.{error.key}')}"
            ) from None
    print(f"{key} {password}")


def reset(handle: Handle) -> None:
    """Set a new password for the next sign-in; one-time codes are set up again.

    The person's sessions and bearer tokens end at once.

    Example: callserver user reset maja
    """
    password, kept = new_password()
    with resources.database() as engine, engine.begin() as tx:
        now = resources.now(tx)
        user = _known(tx, handle)
        offboarding.reset(tx, user, kept, now, by="command")
    print(password)


def off_board(handle: Handle) -> None:
    """End a person's access at once: sessions, tokens, softphone.

    Their call-backs become the team's.

    Example: callserver user off-board maja
    """
    with resources.database() as engine, engine.begin() as tx:
        now = resources.now(tx)
        freed = administration.off_board(tx, _known(tx, handle), now, by="command")
    print(f"{handle} has left; {freed} call-backs are the team's now")


def listing() -> None:
    """List the people who work here.

    Example: callserver user list
    """
    table = Table("id", "handle", "role", "department", "line", "left")
    with resources.database() as engine, engine.connect() as connection:
        for user in accounts.every(connection):
            left = "" if user.left_at is None else user.left_at.date().isoformat()
            table.add_row(
                str(user.id), user.handle, user.role, user.department or "", user.line or "", left
            )
    Console().print(table)


def add_token(
    handle: Handle,
    name: Annotated[str, typer.Option(help="what the token is for")] = "machine",
    scope: Annotated[
        list[Action] | None,
        typer.Option(help="may be given again; without it, all that the role may"),
    ] = None,
    days: Annotated[int, typer.Option(min=0, help="how long it works; 0: until dropped")] = 0,
) -> None:
    """Make a bearer token for the API, shown this once: only its hash is kept.

    Example: callserver token add maja --name softphone --scope phone --days 90
    """
    with resources.database() as engine, engine.begin() as tx:
        _, token = tokens.add(
            tx,
            _known(tx, handle),
            name,
            scope,
            days,
            rights=frozenset(Action),
            now=resources.now(tx),
            by="command",
        )
    print(token)


def drop_token(token: Annotated[int, typer.Argument(help="its id, from the list")]) -> None:
    """End a token at once.

    Example: callserver token drop 3
    """
    with resources.database() as engine, engine.begin() as tx:
        tokens.drop(tx, token, now=resources.now(tx), by="command")
    print(f"token {token} has ended")


def list_tokens() -> None:
    """List the tokens that work, without the tokens themselves.

    Example: callserver token list
    """
    table = Table("id", "of", "name", "scopes", "until")
    with resources.database() as engine, engine.connect() as connection:
        names = {user.id: user.handle for user in accounts.every(connection)}
        for one in accounts.tokens_of(connection):
            until = "" if one.until is None else one.until.date().isoformat()
            scopes = "all of the role" if one.scopes is None else ", ".join(one.scopes)
            table.add_row(str(one.id), names.get(one.user, "?"), one.name, scopes, until)
    Console().print(table)


def _known(tx: Tx, handle: str) -> User:
    user = accounts.by_handle(tx, handle)
    if user is None or user.left_at is not None:
        raise ConfigurationProblem(f"there is no user {handle!r}")
    return user
