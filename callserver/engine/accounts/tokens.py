"""Bearer tokens for machines. A token has no more rights than its owner and its creator."""

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
    """Create a bearer token. Returns its id and the token. `days`: how long it is valid; 0: until dropped.

    Raises:
        Impossible: the account's role does not include the scopes.
        NotAllowed: `rights`, those of the creator, do not include the scopes.
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
    """The token's scopes, limited to what both its owner and its creator may do.

    Raises:
        Impossible: the owner's role does not include a scope.
        NotAllowed: the creator's rights do not, or no action is left.
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
