"""Bearer tokens for machines: made with no more rights than their owner and their maker have."""

from datetime import datetime, timedelta

from callserver.database import accounts, audit
from callserver.database.accounts import User
from callserver.domain.audit import EntryKind
from callserver.domain.role import MAY, Action, Role
from callserver.engine.accounts.authentication import new_token
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx


def add(
    tx: Tx,
    user: User,
    name: str,
    scopes: list[Action] | None,
    days: int,
    *,
    rights: frozenset[Action],
    now: datetime,
    by: str,
) -> tuple[int, str]:
    """A bearer token; its id, and the token itself. `days` 0: until dropped.

    Raises:
        Impossible: the account's role may not do what the scopes say.
        NotAllowed: `rights`, which are those of its maker, do not include the scopes.
    """
    shown, kept = new_token()
    given = _scopes(rights, user, scopes)
    until = now + timedelta(days=days) if days else None
    key = accounts.add_token(tx, kept, user.id, name, now, scopes=given, until=until)
    audit.append(tx, now, EntryKind.TOKEN, user=user.id, token=key, did="added", by=by)
    return key, shown


def drop(tx: Tx, token: int, *, now: datetime, by: str) -> None:
    """End a token at once.

    Raises:
        NotFound: there is no such token.
    """
    if not accounts.drop_token(tx, token):
        raise NotFound(f"there is no token {token}", key="not_found")
    audit.append(tx, now, EntryKind.TOKEN, token=token, did="dropped", by=by)


def _scopes(own: frozenset[Action], user: User, wanted: list[Action] | None) -> list[Action]:
    """What a token may be used for: nothing that its owner or its maker may not do.

    Raises:
        Impossible: the owner's role does not include what is wanted.
        NotAllowed: the own role does not, or no action is left.
    """
    owners = MAY[Role(user.role)]
    if set(wanted or ()) - owners:
        beyond = ", ".join(sorted(set(wanted or ()) - owners))
        raise Impossible(f"{user.role} may not {beyond}", key="staff_scopes")
    given = set(wanted or owners & own)
    if not given or given - own:
        raise NotAllowed(
            "nobody gives a token rights that they do not have themselves", key="staff_token_rights"
        )
    return sorted(given)
