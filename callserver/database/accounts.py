"""Users, their sessions and their bearer tokens."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import sessions, tokens, users
from callserver.domain.role import Action, Role
from callserver.ports import Tx

SUPERVISOR_SEEN = timedelta(minutes=10)
"""A supervisor counts as present this long after their last request."""


class User(NamedTuple):
    id: int
    handle: str
    name: str
    role: str
    department: str | None
    line: str | None
    credited: int
    trained_at: datetime | None
    added_at: datetime | None
    left_at: datetime | None
    seen_at: datetime | None
    language: str
    mentor: int | None


class Secrets(NamedTuple):
    """The stored values that a sign-in is checked against."""

    password: str | None
    password_once: bool
    code_key: str | None
    code_step: int | None
    role_given_by: int | None  # no second person has confirmed the account


_columns = [users.c[name] for name in User._fields]
_all = select(*_columns)
_by_id = Prepared(_all.where(users.c.id == bindparam("id")))
_by_token = Prepared(
    select(*_columns, tokens.c.scopes)
    .join(tokens, tokens.c.user == users.c.id)
    .where(
        tokens.c.hash == bindparam("hash"),
        users.c.left_at.is_(None),
        users.c.role_given_by.is_(None),
        or_(tokens.c.until.is_(None), tokens.c.until > bindparam("now")),
    )
)
_by_session = Prepared(
    select(
        *_columns,
        sessions.c.created_at,
        sessions.c.seen_at,
        sessions.c.code_given,
        users.c.password_once,
    )
    .join(sessions, sessions.c.user == users.c.id)
    .where(sessions.c.id == bindparam("id"), users.c.left_at.is_(None))
)
_supervisor = Prepared(
    select(func.max(users.c.seen_at)).where(
        users.c.role == "supervisor",
        users.c.department == bindparam("department"),
        users.c.left_at.is_(None),
    )
)


class Session(NamedTuple):
    """A signed-in browser."""

    user: User
    created_at: datetime
    seen_at: datetime
    code_given: bool
    password_once: bool


def user(tx: Tx, user_id: int) -> User | None:
    row = _by_id(tx, {"id": user_id}).one_or_none()
    return None if row is None else User._make(row)


def by_handle(tx: Tx, handle: str) -> User | None:
    row = tx.execute(_all.where(users.c.handle == handle)).one_or_none()
    return None if row is None else User._make(row)


def every(tx: Tx, department: str | None = None) -> list[User]:
    """All users, including those who have left; of one department, or of all."""
    query = _all.order_by(users.c.id)
    if department is not None:
        query = query.where(users.c.department == department)
    return [User._make(row) for row in tx.execute(query)]


def names(tx: Tx, ids: Collection[int | None]) -> dict[int, str]:
    """The names of these users."""
    some = [key for key in ids if key is not None]
    if not some:
        return {}
    query = select(users.c.id, users.c.name).where(users.c.id.in_(some))
    return {row.id: row.name for row in tx.execute(query)}


def at_work(tx: Tx, roles: Collection[str]) -> list[User]:
    """Users with these roles who have not left."""
    query = _all.where(users.c.role.in_(roles), users.c.left_at.is_(None))
    return [User._make(row) for row in tx.execute(query)]


def trainees_of(tx: Tx, mentor: int) -> list[User]:
    """The users whose mentor this phoner is."""
    query = _all.where(users.c.mentor == mentor, users.c.left_at.is_(None)).order_by(users.c.name)
    return [User._make(row) for row in tx.execute(query)]


def add(tx: Tx, **values: Any) -> int:
    """Add a user. Returns the id. `values`: columns of the table."""
    key = tx.execute(insert(users).values(**values)).inserted_primary_key
    return 0 if key is None else int(key[0])


def change(tx: Tx, user_id: int, **values: Any) -> None:
    tx.execute(update(users).where(users.c.id == user_id).values(**values))


def secrets_of(tx: Tx, user_id: int) -> Secrets:
    columns = [users.c[name] for name in Secrets._fields]
    return Secrets._make(tx.execute(select(*columns).where(users.c.id == user_id)).one())


def unconfirmed(tx: Tx) -> list[tuple[User, int]]:
    """Users whose account no second person has confirmed, each with who gave them their role."""
    query = (
        select(*_columns, users.c.role_given_by)
        .where(users.c.role_given_by.is_not(None), users.c.left_at.is_(None))
        .order_by(users.c.id)
    )
    return [(User._make(row[:-1]), row[-1]) for row in tx.execute(query)]


def seen(tx: Tx, user_id: int, now: datetime) -> None:
    """Note that a supervisor is active now."""
    change(tx, user_id, seen_at=now)


def supervisor_present(tx: Tx, department: str | None, now: datetime) -> bool:
    last_seen: datetime | None = _supervisor(tx, {"department": department}).scalar()
    return last_seen is not None and abs(now - last_seen) <= SUPERVISOR_SEEN


# -- sessions and tokens -----------------------------------------------------------------------


def by_token(tx: Tx, hashed: str, now: datetime) -> tuple[User, frozenset[Action] | None] | None:
    """The token's user and its scopes (None: everything that the role may)."""
    row = _by_token(tx, {"hash": hashed, "now": now}).one_or_none()
    if row is None:
        return None
    scopes = row[-1]
    return User._make(row[:-1]), None if scopes is None else frozenset(map(Action, scopes))


def add_token(
    tx: Tx,
    hashed: str,
    user_id: int,
    name: str,
    now: datetime,
    *,
    scopes: Sequence[Action] | None = None,
    until: datetime | None = None,
) -> int:
    """Store a token's hash. Returns the token's id."""
    key = tx.execute(
        insert(tokens).values(
            hash=hashed,
            user=user_id,
            name=name,
            scopes=None if scopes is None else [scope.value for scope in scopes],
            created_at=now,
            until=until,
        )
    ).inserted_primary_key
    return 0 if key is None else int(key[0])


def tokens_of(tx: Tx, user_id: int | None = None) -> list[Any]:
    """Rows of id, user, name, scopes, created_at, until."""
    names = ("id", "user", "name", "scopes", "created_at", "until")
    query = select(*[tokens.c[name] for name in names]).order_by(tokens.c.id)
    if user_id is not None:
        query = query.where(tokens.c.user == user_id)
    return list(tx.execute(query))


def drop_token(tx: Tx, token: int) -> bool:
    return tx.execute(delete(tokens).where(tokens.c.id == token)).rowcount == 1


def session(tx: Tx, hashed: str) -> Session | None:
    row = _by_session(tx, {"id": hashed}).one_or_none()
    if row is None:
        return None
    width = len(User._fields)
    return Session(User._make(row[:width]), *row[width:])


def open_session(tx: Tx, hashed: str, user_id: int, now: datetime) -> None:
    tx.execute(insert(sessions).values(id=hashed, user=user_id, created_at=now, seen_at=now))


def change_session(tx: Tx, hashed: str, **values: Any) -> None:
    tx.execute(update(sessions).where(sessions.c.id == hashed).values(**values))


def close_session(tx: Tx, hashed: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.id == hashed))


def close_sessions(tx: Tx, user_id: int, but: str = "") -> None:
    """End every session of a user, except `but`."""
    tx.execute(delete(sessions).where(sessions.c.user == user_id, sessions.c.id != but))


def lock(tx: Tx, *ids: int) -> None:
    """One change of an account at a time: what is checked now still holds when this transaction commits."""
    query = select(users.c.id).where(users.c.id.in_(ids)).order_by(users.c.id)
    tx.execute(query.with_for_update())


def lock_role(tx: Tx, role: Role) -> None:
    """Lock every user of a role, so that the last two cannot off-board each other at the same time."""
    query = select(users.c.id).where(users.c.role == role.value).order_by(users.c.id)
    tx.execute(query.with_for_update())


def sessions_of(tx: Tx, user_id: int) -> int:
    """How many browsers the user is signed in with."""
    query = select(func.count()).where(sessions.c.user == user_id)
    return int(tx.execute(query).scalar_one())


def drop_access(tx: Tx, user_id: int) -> None:
    """End every session and token of a user at once."""
    close_sessions(tx, user_id)
    drop_tokens(tx, user_id)


def drop_tokens(tx: Tx, user_id: int) -> None:
    tx.execute(delete(tokens).where(tokens.c.user == user_id))


def drop_expired_tokens(tx: Tx, expired_before: datetime) -> int:
    """Drop tokens that ended before that instant. Returns how many. A token without an end stays."""
    return tx.execute(delete(tokens).where(tokens.c.until < expired_before)).rowcount


def drop_old_sessions(tx: Tx, created_before: datetime, seen_before: datetime) -> None:
    old = or_(sessions.c.created_at < created_before, sessions.c.seen_at < seen_before)
    tx.execute(delete(sessions).where(old))
