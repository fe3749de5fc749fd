"""Users' decisions that two people are one, or two. The newest about a pair counts; each row stays."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import insert, or_, select

from callserver.database.many_keys import among
from callserver.database.tables import person_decisions
from callserver.ports import Tx


class Verdict(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    UNDECIDED = "undecided"  # an earlier decision was undone


class DecisionRow(NamedTuple):
    """One decision about two keys of persons, the smaller one first."""

    id: int
    person: int
    other: int
    verdict: Verdict
    at: datetime
    by: str
    why: str


def of_persons(tx: Tx, persons: Collection[int]) -> list[DecisionRow]:
    """Every decision about one of these keys, newest first."""
    mine = person_decisions.c
    columns = (mine.id, mine.person, mine.other, mine.verdict, mine.at, mine.by, mine.why)
    about = or_(among(tx, mine.person, persons), among(tx, mine.other, persons))
    rows = tx.execute(select(*columns).where(about).order_by(mine.id.desc()))
    return [DecisionRow(*row)._replace(verdict=Verdict(row.verdict)) for row in rows]


def latest(tx: Tx, person: int, other: int) -> Verdict | None:
    """What was decided last about these two keys."""
    mine = person_decisions.c
    smaller, larger = sorted((person, other))
    query = select(mine.verdict).where(mine.person == smaller, mine.other == larger)
    verdict = tx.execute(query.order_by(mine.id.desc()).limit(1)).scalar()
    return None if verdict is None else Verdict(verdict)


def add(
    tx: Tx, person: int, other: int, verdict: Verdict, at: datetime, *, by: str, why: str
) -> int:
    """Record a decision. Returns its id."""
    smaller, larger = sorted((person, other))
    values = {"person": smaller, "other": larger, "verdict": verdict.value, "at": at}
    statement = insert(person_decisions).values(**values, by=by, why=why)
    key = tx.execute(statement).inserted_primary_key
    return 0 if key is None else int(key[0])
