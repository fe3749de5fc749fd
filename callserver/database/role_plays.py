"""Role-play calls. What may happen in one is decided in domain/role_play.py."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, exists, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import applicants, role_plays
from callserver.database.upserts import INSERTS
from callserver.domain.role_play import Player, RolePlayState
from callserver.ports import Tx

_due = Prepared(select(role_plays.c.id).where(role_plays.c.look_at <= bindparam("now")))


class RolePlayRow(NamedTuple):
    id: int
    applicant: int
    interviewer: int
    department: str
    campaign: str
    room: str
    created_at: datetime
    joined_at: datetime | None
    applicant_leg: str | None
    interviewer_leg: str | None
    applicant_in_at: datetime | None
    interviewer_in_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    ended_because: str | None
    look_at: datetime | None

    def leg(self, player: Player) -> str | None:
        return self.applicant_leg if player is Player.APPLICANT else self.interviewer_leg

    def is_in(self, player: Player) -> bool:
        """Whether the player's leg is in the room."""
        applicant = player is Player.APPLICANT
        return (self.applicant_in_at if applicant else self.interviewer_in_at) is not None

    @property
    def legs(self) -> list[tuple[Player, str]]:
        """The legs that are not known to be gone."""
        return [(player, leg) for player in Player if (leg := self.leg(player)) is not None]

    @property
    def state(self) -> RolePlayState:
        return RolePlayState(self.created_at, self.joined_at)


_all = select(*[role_plays.c[name] for name in RolePlayRow._fields])
_open = role_plays.c.ended_at.is_(None)


def add(tx: Tx, **values: Any) -> int | None:
    """Add a role-play call. Returns the id.

    None: the applicant or the interviewer has an open one already.
    """
    statement = INSERTS[tx.dialect.name](role_plays).values(**values).on_conflict_do_nothing()
    return tx.execute(statement.returning(role_plays.c.id)).scalar_one_or_none()


def change(tx: Tx, role_play: int, **values: Any) -> None:
    tx.execute(update(role_plays).where(role_plays.c.id == role_play).values(**values))


def change_leg(
    tx: Tx, role_play: int, player: Player, leg: str | None, in_at: datetime | None = None
) -> None:
    """Store a player's leg, and since when it is in the room."""
    values: dict[str, Any] = {f"{player.value}_leg": leg, f"{player.value}_in_at": in_at}
    change(tx, role_play, **values)


def _one(tx: Tx, query: Any) -> RolePlayRow | None:
    row = tx.execute(query).one_or_none()
    return None if row is None else RolePlayRow._make(row)


def get(tx: Tx, role_play: int) -> RolePlayRow | None:
    return _one(tx, _all.where(role_plays.c.id == role_play))


def lock(tx: Tx, role_play: int) -> RolePlayRow | None:
    return _one(tx, _all.where(role_plays.c.id == role_play).with_for_update())


def by_code(tx: Tx, hashed: str) -> RolePlayRow | None:
    """The open role-play call whose code has this hash, locked."""
    return _one(tx, _all.where(role_plays.c.code == hashed, _open).with_for_update())


def by_guest(tx: Tx, hashed: str) -> RolePlayRow | None:
    """The open role-play call that the applicant's browser has joined."""
    return _one(tx, _all.where(role_plays.c.guest == hashed, _open))


def of_interviewer(tx: Tx, user: int) -> RolePlayRow | None:
    """The interviewer's open role-play call."""
    return _one(tx, _all.where(role_plays.c.interviewer == user, _open))


def of_applicant(tx: Tx, applicant: int) -> RolePlayRow | None:
    """The applicant's open role-play call."""
    return _one(tx, _all.where(role_plays.c.applicant == applicant, _open))


def took_place(tx: Tx, applicant: int) -> bool:
    """Whether the applicant and an interviewer have been in a room together."""
    query = select(role_plays.c.id).where(
        role_plays.c.applicant == applicant, role_plays.c.started_at.is_not(None)
    )
    return tx.execute(query.limit(1)).first() is not None


def due(tx: Tx, now: datetime) -> list[int]:
    """The role-play calls that the scheduler looks at now."""
    return [role_play for (role_play,) in _due(tx, {"now": now})]


def set_all_due(tx: Tx, now: datetime) -> None:
    """Have the scheduler check every role-play call that is open or may have a leg."""
    tx.execute(update(role_plays).where(role_plays.c.look_at.is_not(None)).values(look_at=now))


def set_due_of_interviewer(tx: Tx, user: int, now: datetime) -> None:
    """A user changed: look at once whether they may go on."""
    tx.execute(
        update(role_plays).where(role_plays.c.interviewer == user, _open).values(look_at=now)
    )


def delete_orphans(tx: Tx) -> None:
    """Delete the role-play calls of deleted applicants, except one with a leg that may be left."""
    known = exists(select(applicants.c.id).where(applicants.c.id == role_plays.c.applicant))
    tx.execute(delete(role_plays).where(role_plays.c.look_at.is_(None), ~known))
