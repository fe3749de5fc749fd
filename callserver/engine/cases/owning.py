"""Which account gets a case. It stays with its role until the case is written, so no case belongs to somebody who
leaves, or is given another role, at that moment."""

from callserver.database import accounts, cases
from callserver.domain.role import Role
from callserver.ports import Tx


def chosen(tx: Tx, role: Role, department: str | None, *, but: int | None = None) -> int | None:
    """The account of a role with the fewest open cases, locked; None: the case stands in the role's queue.

    `but`: the account that gives the case up.
    """
    for key in cases.accounts_by_load(tx, role, department):
        if key == but:
            continue
        accounts.lock(tx, key)
        if key in cases.accounts_by_load(tx, role, department):
            return key
    return None
