"""`callserver user`: who works here, and the tokens with which they (or their machines) sign in."""

import re
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select, update

from callserver.cli import opening
from callserver.console.sign_in import new_token
from callserver.database import audit
from callserver.database.tables import users
from callserver.domain.audit import Kind
from callserver.domain.phone import LINE
from callserver.errors import ConfigurationProblem
from callserver.loading import load

ROLES = ("phoner", "supervisor", "administrator", "leader", "member_service")


def register(app: typer.Typer) -> None:
    user = typer.Typer(help="People and their tokens.", no_args_is_help=True)
    user.command("add")(add)
    user.command("token")(token)
    user.command("off-board")(off_board)
    user.command("list")(listing)
    app.add_typer(user, name="user")


def add(
    handle: Annotated[str, typer.Argument(help="a short unique name, like maja")],
    role: Annotated[str, typer.Option(help=" | ".join(ROLES))] = "phoner",
    department: Annotated[str | None, typer.Option(help="the department's key")] = None,
    name: Annotated[str, typer.Option(help="as colleagues see it")] = "",
    line: Annotated[
        str | None,
        typer.Option(help="how a phoner is rung in: client:phoner_1, sip:…, +45…"),
    ] = None,
    shift: Annotated[
        int, typer.Option(help="which shift this is: 1 listens only, 2 needs a supervisor")
    ] = 99,
    policy_ack: Annotated[bool, typer.Option(help="has acknowledged the security policy")] = True,
) -> None:
    """Add a person and print a bearer token, which is shown this once.

    Example: callserver user add maja --department nord --line client:phoner_1
    """
    if role not in ROLES:
        raise ConfigurationProblem(f"role {role!r}: should be one of {', '.join(ROLES)}")
    if not handle.strip() or handle != handle.strip():
        raise ConfigurationProblem(f"handle {handle!r}: should be a short name without blanks")
    departments = load(opening.settings().config).departments
    if department is not None and department not in departments:
        known = ", ".join(departments)
        raise ConfigurationProblem(f"there is no department {department!r}; there are {known}")
    if line is not None and not re.fullmatch(LINE, line):
        raise ConfigurationProblem(f"line {line!r}: should be client:phoner_1, sip:… or +45…")
    shown, kept = new_token()
    with opening.database() as engine, engine.begin() as tx:
        if tx.execute(select(users.c.id).where(users.c.handle == handle)).first():
            raise ConfigurationProblem(f"there is a user {handle!r} already")
        key = tx.execute(
            insert(users).values(
                handle=handle,
                name=name or handle,
                role=role,
                department=department,
                line=line,
                shifts=shift,
                policy_ack=policy_ack,
                token=kept,
            )
        ).inserted_primary_key
        user_id = 0 if key is None else int(key[0])
        audit.append(tx, opening.now(tx), Kind.USER, user=user_id, did="added", role=role)
    print(f"{user_id} {shown}")


def token(handle: Annotated[str, typer.Argument(help="whose")]) -> None:
    """Replace a person's token by a fresh one; the old one ends at once."""
    shown, kept = new_token()
    with opening.database() as engine, engine.begin() as tx:
        if not tx.execute(
            update(users).where(users.c.handle == handle).values(token=kept)
        ).rowcount:
            raise ConfigurationProblem(f"there is no user {handle!r}")
    print(shown)


def off_board(handle: Annotated[str, typer.Argument(help="who leaves")]) -> None:
    """End a person's access: token, dialing and call-backs, at once."""
    with opening.database() as engine, engine.begin() as tx:
        now = opening.now(tx)
        row = tx.execute(select(users.c.id).where(users.c.handle == handle)).one_or_none()
        if row is None:
            raise ConfigurationProblem(f"there is no user {handle!r}")
        tx.execute(update(users).where(users.c.id == row.id).values(left_at=now, token=None))
        audit.append(tx, now, Kind.USER, user=row.id, did="off_boarded")
    print(f"{handle} has left")


def listing() -> None:
    """Who works here."""
    table = Table("id", "handle", "role", "department", "line", "left")
    with opening.database() as engine, engine.connect() as connection:
        for row in connection.execute(select(users).order_by(users.c.id)):
            left = "" if row.left_at is None else row.left_at.date().isoformat()
            table.add_row(
                str(row.id), row.handle, row.role, row.department or "", row.line or "", left
            )
    Console().print(table)
