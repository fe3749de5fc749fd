"""`callserver user` and `callserver token`: users, and bearer tokens of machines."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords, user_named
from callserver.cli.counting import counted
from callserver.database import accounts
from callserver.database.accounts import User
from callserver.database.leavings import Leaving
from callserver.domain.role import Action, Role
from callserver.engine.accounts import administration, leaving, offboarding, tokens
from callserver.engine.accounts.administration import AccountDetails
from callserver.engine.accounts.authentication import new_password
from callserver.engine.context import LineContext
from callserver.engine.training import standings
from callserver.engine.user_lines import LineRefused
from callserver.errors import ConfigurationProblem, Impossible
from callserver.ports import Tx
from callserver.settings import allowed_sip_hosts
from callserver.texts import say

Handle = Annotated[str, typer.Argument(help="the user name")]


def register(app: typer.Typer) -> None:
    user = typer.Typer(help="People and their sign-in.", no_args_is_help=True)
    user.command("add")(add)
    user.command("reset")(reset)
    user.command("credit")(credit)
    user.command("off-board")(off_board)
    user.command("checklist")(checklist)
    user.command("list")(listing)
    app.add_typer(user, name="user")
    token = typer.Typer(help="Bearer tokens for machines.", no_args_is_help=True)
    token.command("add")(add_token)
    token.command("drop")(drop_token)
    token.command("list")(list_tokens)
    app.add_typer(token, name="token")


def add(
    handle: Annotated[str, typer.Argument(help="the user name: short and unique, like maja")],
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
    by: InWords = BY_COMMAND,
) -> None:
    """Add a user; prints their id and a password for the first sign-in, only once.

    Example: callserver user add maja --department nord
    """
    settings = resources.settings()
    if line is not None and not settings.key:
        raise ConfigurationProblem("CALLSERVER_KEY must be set: without it no line can be checked")
    details = AccountDetails(
        name=name or handle,
        role=role,
        department=department,
        line=line,
        mentor=None,
    )
    password, hashed = new_password()
    with resources.database() as engine:
        rules = resources.rules(engine, settings)
        terms = LineContext(rules, settings.key.encode(), allowed_sip_hosts(settings))
        try:
            with engine.begin() as tx:
                now = resources.now(tx)
                key = administration.add(tx, terms, handle, details, hashed, now=now, by=by)
        except LineRefused as error:
            raise ConfigurationProblem(
                f"line {line!r}: {say('en', f'error.{error.key}')}"
            ) from None
    print(f"{key} {password}")


def _locked(tx: Tx, handle: str) -> User:
    """A user who has not left, and whose account no server changes meanwhile."""
    accounts.lock(tx, user_named(tx, handle).id)
    return user_named(tx, handle)


def reset(handle: Handle, by: InWords = BY_COMMAND) -> None:
    """Set a new password for the next sign-in; one-time codes are set up again.

    The user's sessions and bearer tokens end at once; a phoner on shift pauses.

    Example: callserver user reset maja
    """
    password, hashed = new_password()
    with resources.database() as engine, engine.begin() as tx:
        now = resources.now(tx)
        user = _locked(tx, handle)
        offboarding.reset(tx, user, hashed, now, by=by)
    print(password)


def credit(
    handle: Handle,
    reason: Annotated[str, typer.Option(help="where they have worked before, and who knows it")],
    shifts: Annotated[
        int, typer.Option(min=1, max=3, help="how many shifts; with 3 the training is complete")
    ] = 3,
    by: InWords = BY_COMMAND,
) -> None:
    """Credit a new phoner with shifts that they have worked before. The reason is kept.

    Example: callserver user credit maja --reason "has made calls for us since 2019"
    """
    settings = resources.settings()
    with resources.database() as engine:
        rules = resources.rules(engine, settings).current.training
        with engine.begin() as tx:
            user, now = _locked(tx, handle), resources.now(tx)
            try:
                standings.credit(tx, rules, user, shifts, reason, now, by)
            except Impossible as error:
                raise ConfigurationProblem(str(error)) from None
    print(f"{handle} is credited with {counted(shifts, 'shift')}")


def off_board(handle: Handle, by: InWords = BY_COMMAND) -> None:
    """End a user's access at once: sessions, tokens, softphone.

    Their call-backs are released to the team.

    Example: callserver user off-board maja
    """
    with resources.database() as engine, engine.begin() as tx:
        now = resources.now(tx)
        freed = administration.off_board(tx, _locked(tx, handle), now, by=by)
    print(
        f"{handle} has left; {counted(freed, 'call-back is', 'call-backs are')} released to the team"
    )


def checklist(
    handle: Handle,
    tick: Annotated[list[str] | None, typer.Option(help="an item that is done; repeatable")] = None,
    untick: Annotated[list[str] | None, typer.Option(help="an item that is not done")] = None,
    announce: Annotated[bool, typer.Option("--announce", help="they leave soon")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="they stay after all")] = False,
    letter_on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="the day on which a person who left without signing got the reminder of confidentiality by letter",
        ),
    ] = None,
    complete: Annotated[bool, typer.Option("--complete", help="complete the checklist")] = False,
    by: InWords = BY_COMMAND,
) -> None:
    """Show the checklist of a person who leaves; tick items and complete it.

    After --announce they sign the reminder of confidentiality on their own page /training.

    Example: callserver user checklist maja --announce

    Example: callserver user checklist maja --tick keys --complete
    """
    settings = resources.settings()
    with resources.database() as engine:
        current = resources.rules(engine, settings).current
        with engine.begin() as tx:
            now, user = resources.now(tx), accounts.by_handle(tx, handle)
            if user is None:
                raise ConfigurationProblem(f"there is no user {handle!r}")
            if announce:
                leaving.announce(tx, user.id, now, by)
            if withdraw:
                leaving.withdraw(tx, user.id, now, by)
            for items, done in ((tick, True), (untick, False)):
                for item in items or ():
                    leaving.set_item(tx, current, user.id, item, now, by, done=done)
            if letter_on is not None:
                leaving.record_letter(tx, user.id, letter_on.date(), now, by)
            if complete:
                leaving.complete(tx, current, user.id, now, by)
            shown = leaving.of(tx, current, user, now)
    table = Table("what", "state", title=f"{handle}: {shown.state.value}")
    for entry in shown.items:
        table.add_row(f"{entry.key}: {entry.title.en}", "open" if entry.at is None else "done")
    table.add_row("reminder of confidentiality", _reminder(shown.record))
    for check, none in shown.checks.items():
        table.add_row(say("en", f"accounts.check.{check.value}"), "done" if none else "open")
    Console().print(table)


def _reminder(record: Leaving) -> str:
    if record.signed_at is not None:
        return f"signed {record.signed_at:%Y-%m-%d}"
    return "open" if record.letter_on is None else f"sent by letter {record.letter_on}"


def listing() -> None:
    """List the users.

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
        typer.Option(help="may be repeated; by default everything that the role may"),
    ] = None,
    days: Annotated[
        int, typer.Option(min=0, help="how long it is valid; 0: until it is ended")
    ] = 0,
    by: InWords = BY_COMMAND,
) -> None:
    """Make a bearer token for the API, shown only once: the database keeps its hash.

    Example: callserver token add maja --name softphone --scope phone --days 90
    """
    with resources.database() as engine, engine.begin() as tx:
        _, token = tokens.add(
            tx,
            _locked(tx, handle),
            name,
            scope,
            days,
            rights=frozenset(Action),
            now=resources.now(tx),
            by=by,
        )
    print(token)


def drop_token(
    token: Annotated[int, typer.Argument(help="its id, from the list")], by: InWords = BY_COMMAND
) -> None:
    """End a token at once.

    Example: callserver token drop 3
    """
    with resources.database() as engine, engine.begin() as tx:
        tokens.drop(tx, token, now=resources.now(tx), by=by)
    print(f"token {token} has ended")


def list_tokens() -> None:
    """List the valid tokens, without the tokens themselves.

    Example: callserver token list
    """
    table = Table("id", "of", "name", "scopes", "until")
    with resources.database() as engine, engine.connect() as connection:
        names = {user.id: user.handle for user in accounts.every(connection)}
        for token in accounts.tokens_of(connection):
            until = "" if token.until is None else token.until.date().isoformat()
            scopes = "all of the role" if token.scopes is None else ", ".join(token.scopes)
            table.add_row(str(token.id), names.get(token.user, "?"), token.name, scopes, until)
    Console().print(table)
