"""The gate's facts about campaign, register, number and phoner, in one statement: it runs at every dial."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Text, and_, bindparam, exists, func, literal, literal_column, or_, select

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import (
    campaign_states,
    daily_counts,
    refused_numbers,
    register_entries,
    register_matches,
    registers,
    users,
)
from callserver.domain.register_match import Match
from callserver.ports import Tx


class DialFacts(NamedTuple):
    """`credited` and the fields after it are None when there is no such phoner."""

    paused: bool
    answered: int  # live answers since the given day
    abandoned: int
    listed: bool  # the number is on an active register
    result: Match  # of the person beside the active registers of names and addresses
    issued_at: datetime | None  # when the register's oldest issue in force was issued
    refused: bool  # the carrier refused the number, and nobody has released it
    credited: int | None
    trained_at: datetime | None
    added_at: datetime | None
    left_at: datetime | None
    department: str | None


_counts_query = select(
    func.coalesce(func.sum(daily_counts.c.answered), 0).label("answered"),
    func.coalesce(func.sum(daily_counts.c.abandoned), 0).label("abandoned"),
).where(daily_counts.c.campaign == bindparam("campaign"), daily_counts.c.day >= bindparam("since"))
_counts = _counts_query.subquery()
_paused = (
    select(campaign_states.c.paused)
    .where(campaign_states.c.campaign == bindparam("campaign"))
    .scalar_subquery()
)
ANY = ""
"""The register of a policy that names none: every register in force."""

_issued = (
    select(func.min(registers.c.washed_at))
    .where(
        registers.c.active,
        or_(
            registers.c.name == bindparam("register"),
            bindparam("register", type_=Text) == literal_column("''"),
        ),
    )
    .scalar_subquery()
)
_listed = exists(
    select(literal(1))
    .select_from(
        register_entries.join(registers, registers.c.version == register_entries.c.version)
    )
    .where(register_entries.c.number == bindparam("number"), registers.c.active)
)
_result = (
    select(func.max(func.coalesce(register_matches.c.result, Match.UNSURE.value)))
    .select_from(
        registers.outerjoin(
            register_matches,
            and_(
                register_matches.c.version == registers.c.version,
                register_matches.c.person == bindparam("person"),
            ),
        )
    )
    .where(registers.c.active, registers.c.kind == "people")
    .scalar_subquery()
)
"""Without a row the person was not compared, which counts as unsure. Null: there is no such register."""

_refused = exists(
    select(literal(1))
    .select_from(refused_numbers)
    .where(refused_numbers.c.number == bindparam("number"), refused_numbers.c.released_at.is_(None))
)
_facts = Prepared(
    select(
        func.coalesce(_paused, literal(False)),
        _counts.c.answered,
        _counts.c.abandoned,
        _listed,
        _result,
        _issued,
        _refused,
        users.c.credited,
        users.c.trained_at,
        users.c.added_at,
        users.c.left_at,
        users.c.department,
    ).select_from(_counts.join(users, users.c.id == bindparam("phoner"), isouter=True))
)


def of(
    tx: Tx,
    campaign: str,
    number: int,
    person: int,
    phoner: int | None,
    since: datetime,
    register: str,
) -> DialFacts:
    """The facts of one dial; days are in UTC. `register`: whose age counts, or ANY."""
    row = _facts(
        tx,
        {
            "campaign": campaign,
            "number": number,
            "person": person,
            "phoner": phoner,
            "since": since.date().isoformat(),
            "register": register,
        },
    ).one()
    return DialFacts(
        bool(row[0]),
        int(row[1]),
        int(row[2]),
        bool(row[3]),
        Match.NO if row[4] is None else Match(row[4]),
        row[5],
        bool(row[6]),
        *row[7:],
    )
