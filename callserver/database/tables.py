"""The tables. The database itself refuses a second open call per number, household and seat (I3).

Numbers are 64-bit integers (E.164 without the plus); instants are microseconds since 1970 in UTC,
seen from Python as aware datetimes.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def _where(condition: str) -> Any:
    """A partial index, said once for both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, _: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only on INTEGER

metadata = MetaData()

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("person", BigInteger, nullable=False),  # stable key: of the reference, or number + name
    Column("household", BigInteger, nullable=False),  # stable key: of the address, or the number
    Column("number", BigInteger, nullable=False),
    Column("place", Text, nullable=False),  # hours.Place as text: country and zones
    Column("rank", BigInteger, nullable=False),  # lower is dialed first
    Column("status", Text, nullable=False),  # ready waiting call_back claimed done closed
    Column("reason", Text),  # why done or closed: an outcome or a gate's reason
    Column("next_at", Instant),  # waiting: ready again then; call_back: due then
    Column("callback_for", Instant),
    Column("callback_phoner", BigInteger),  # who promised it
    Column("release_at", Instant),  # from then on the whole team may take the call-back
    Column("tries", Integer, nullable=False, server_default="0"),  # dials of this contact
    Column("tries_by_outcome", JSON),
    Column("ref", Text),  # the house's own reference
    Column("name", Text),
    Column("zone", Text),  # the person's own zone
    Column("born", Text),  # ISO date
    Column("member", Boolean, nullable=False, server_default=text("false")),
    Column("last_gift", Text),
    Column("ended", Text),
    Column("source", Text),
    Column("fields", JSON),  # the rest of the row, for the script's merge fields
    Column("imported", BigInteger),
)
Index("contacts_person_campaign", contacts.c.person, contacts.c.campaign, unique=True)
Index("contacts_number", contacts.c.number)
Index(
    "contacts_ready",
    contacts.c.campaign,
    contacts.c.place,
    contacts.c.rank,
    **_where("status = 'ready'"),
)
Index(
    "contacts_waiting",
    contacts.c.campaign,
    contacts.c.next_at,
    **_where("status = 'waiting'"),
)
Index(
    "contacts_call_back",
    contacts.c.campaign,
    contacts.c.next_at,
    **_where("status = 'call_back'"),
)
Index("contacts_household", contacts.c.household)
Index("contacts_status", contacts.c.campaign, contacts.c.status)  # counted for the floor

places = Table(
    "places",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("place", Text, primary_key=True),
)
"""Which places a campaign's contacts live in: the claim looks once per open place."""

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("content", Text, nullable=False),  # SHA-256 of the file
    Column("counts", JSON, nullable=False),
    Column("refused", LargeBinary),  # the refused rows as a CSV file, for some days
    Column("by", Text),  # user:… or a command's word
)

calls = Table(
    "calls",
    metadata,
    Column("attempt", Text, primary_key=True),
    Column("contact", BigInteger),
    Column("campaign", Text, nullable=False),
    Column("path", Text, nullable=False),  # list call_back manual redial
    Column("number", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("household", BigInteger, nullable=False),
    Column("seat", BigInteger, nullable=False),
    Column("phoner", BigInteger, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("room_ref", Text),
    Column("revision", Text, nullable=False),
    Column("permit_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("ref", Text),
    Column("rang_at", Instant),
    Column("answered_at", Instant),
    Column("ended_at", Instant),
    Column("cause", Text),
    Column("code", Integer),  # the final SIP response, or the provider's own code of a refusal
    Column("deadline", Instant),  # the provider is asked when it passes
    Column("stop_wanted", Text),  # why a telephone that rings must be silenced
    Column("stopped", Boolean, nullable=False, server_default=text("false")),
    Column("abandoned", Boolean, nullable=False, server_default=text("false")),
    Column("outcome", Text),
    Column("outcome_at", Instant),
    Column("details", JSON),  # what the outcome asked for: amount, frequency, date
    Column("note", Text),
)
Index("calls_open_number", calls.c.number, unique=True, **_where("ended_at IS NULL"))
Index("calls_open_household", calls.c.household, unique=True, **_where("ended_at IS NULL"))
Index("calls_open_seat", calls.c.seat, unique=True, **_where("ended_at IS NULL"))
Index("calls_deadline", calls.c.deadline, **_where("ended_at IS NULL"))
Index("calls_number", calls.c.number, calls.c.permit_at)
Index("calls_household", calls.c.household, calls.c.permit_at)
Index("calls_ref", calls.c.ref)
Index("calls_phoner", calls.c.phoner, calls.c.permit_at)
Index("calls_contact", calls.c.contact)
Index("calls_permit", calls.c.permit_at)
Index("calls_campaign", calls.c.campaign, calls.c.permit_at)

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("handle", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),  # phoner supervisor administrator leader member_service
    Column("department", Text),
    Column("line", Text),  # how the phoner is rung in: client:…, sip:…, +45…
    Column("shifts", Integer, nullable=False, server_default="99"),
    Column("policy_ack", Boolean, nullable=False, server_default=text("true")),
    Column("left_at", Instant),
    Column("seen_at", Instant),  # a supervisor's last sign of being on the floor
    Column("password", Text),  # argon2id; null: cannot sign in
    Column(
        "password_once", Boolean, nullable=False, server_default=text("false")
    ),  # to be replaced
    Column("code_key", Text),  # of the one-time codes, encrypted; null: none set up
    Column("code_step", BigInteger),  # the time step of the last code used: none works twice
    Column("language", Text, nullable=False, server_default="da"),
    Column("mentor", BigInteger),  # the phoner whose calls a trainee may hear
)

seats = Table(
    "seats",
    metadata,
    Column("id", Id, primary_key=True),
    Column("phoner", BigInteger, nullable=False, unique=True),
    Column("department", Text),
    Column("campaign", Text),
    Column("state", Text, nullable=False),
    Column("connected", Boolean, nullable=False, server_default=text("false")),
    Column("wants", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("outcome_owed", Boolean, nullable=False, server_default=text("false")),
    Column("outcome_given", Boolean, nullable=False, server_default=text("false")),
    Column("since", Instant, nullable=False),
    Column("until", Instant),  # shown: waiting goes on then; the limit of a wrap-up
    Column("wake_at", Instant),  # upkeep looks again then
    Column("slot_at", Instant),  # the calls-per-second slot taken for the next dial
    Column("line", Text),
    Column("room", Text, nullable=False, server_default=""),
    Column("room_ref", Text),  # the provider's conference
    Column("leg", Text),  # the provider's name for the phoner's leg
    Column("leg_at", Instant),  # since when there is that leg
    Column("call", Text),  # the attempt in hand, until its outcome is given
    Column("hand_at", Instant),  # the phoner asked for the supervisor
)
Index(
    "seats_wake",
    seats.c.wake_at,
    **_where("wake_at IS NOT NULL"),
)
Index("seats_leg", seats.c.leg)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject", Text, nullable=False),  # number:45… person:… household:… hash:…
    Column("scope", Text, nullable=False),
    Column("purpose", Text),
    Column("at", Instant, nullable=False),
    Column("lifted_at", Instant),
    Column("by", Text, nullable=False),
    Column("list", Text),
    Column("heard", Text),  # how we heard of it, when somebody wrote it down by hand
    Column("opt_out", Text),  # the rows of one opt-out have the same; null: a row by itself
)
Index("suppressions_subject", suppressions.c.subject)
Index("suppressions_opt_out", suppressions.c.opt_out)

marks = Table(
    "marks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # kinds: deceased guardian vulnerable erased reassigned bad_number refused abandoned
    #        consent_given consent_revoked no_listener left requested
    Column("at", Instant, nullable=False),
    Column("detail", JSON),
)
Index("marks_subject", marks.c.subject)

registers = Table(
    "registers",
    metadata,
    Column("version", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("washed_at", Instant, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("false")),
    Column("size", Integer, nullable=False, server_default="0"),
)
register_entries = Table(
    "register_entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

campaign_states = Table(
    "campaign_states",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("since", Instant, nullable=False),
)
tallies = Table(
    "tallies",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # ISO date, UTC
    Column("dials", Integer, nullable=False, server_default="0"),
    Column("answered", Integer, nullable=False, server_default="0"),
    Column("abandoned", Integer, nullable=False, server_default="0"),
)
budgets = Table(
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_at", Instant, nullable=False),
)
receipts = Table(
    "receipts",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("sid", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("contact", BigInteger),
    Column("call", Text),
    Column("body", LargeBinary, nullable=False),  # canonical JSON: the very bytes that are sealed
    Column("leaf", BigInteger, unique=True),  # place in the hash tree, given by the sealer
    # PostgreSQL's transaction: ids may become visible out of their order, transactions below the
    # snapshot's horizon never change again. SQLite writes one after another: always 0.
    Column("tx", BigInteger, nullable=False, server_default=text("0")),
    sqlite_autoincrement=True,
)
Index("audit_tail", audit.c.tx, audit.c.id).ddl_if(dialect="postgresql")
Index("audit_contact", audit.c.contact)
Index("audit_call", audit.c.call)
Index(
    "audit_unsealed",
    audit.c.id,
    **_where("leaf IS NULL"),
)
seals = Table(
    "seals",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # the signed head as it also left the database
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", Instant, nullable=False),
)
