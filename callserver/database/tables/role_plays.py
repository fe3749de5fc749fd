"""The table of role-play calls. A row is deleted with its applicant."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from callserver.database.tables.types import Id, Instant, metadata, where

role_plays = Table(
    "role_plays",
    metadata,
    Column("id", Id, primary_key=True),
    Column("applicant", BigInteger, nullable=False),
    Column("interviewer", BigInteger, nullable=False),
    Column("department", Text, nullable=False),
    Column("campaign", Text, nullable=False),  # whose script is played
    Column("room", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("code", Text),  # keyed hash of the code; null: entered, or ended
    Column("guest", Text),  # SHA-256 of the applicant's cookie; null: not entered, or ended
    Column("joined_at", Instant),  # when the code was entered
    Column("applicant_leg", Text),  # the provider's names for the legs
    Column("interviewer_leg", Text),
    Column("applicant_in_at", Instant),  # since when the leg is in the room
    Column("interviewer_in_at", Instant),
    Column("started_at", Instant),  # both are in the room
    Column("ended_at", Instant),
    Column("ended_because", Text),  # domain.role_play.End
    Column("look_at", Instant),  # the scheduler looks again then; null: ended, and no leg is left
)
Index("role_plays_applicant", role_plays.c.applicant)
Index("role_plays_code", role_plays.c.code, **where("code IS NOT NULL"))
Index("role_plays_guest", role_plays.c.guest, **where("guest IS NOT NULL"))
Index("role_plays_look", role_plays.c.look_at, **where("look_at IS NOT NULL"))
for _who in ("applicant", "interviewer"):
    Index(f"role_plays_open_{_who}", role_plays.c[_who], unique=True, **where("ended_at IS NULL"))
