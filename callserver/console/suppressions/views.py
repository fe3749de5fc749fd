"""The suppressions page's requests and answers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from callserver.console.endpoint import Answer, Body
from callserver.console.fields import Date, Id, Instant
from callserver.domain.facts import Purpose
from callserver.engine.suppressions.lifting import Channel
from callserver.engine.suppressions.opt_outs import ReceivedBy

NAME = r"^[A-Za-zÆØÅæøå_ -]+[0-9]{0,4}$"
"""A list's name stands in the log: words and perhaps a year, nothing that could be a number."""


class Number(Body):
    number: str = Field(min_length=1, max_length=40)


class NewSuppression(Number):
    """A no, how far it reaches and how we heard of it. `purpose` goes with the scope `org` only."""

    scope: Literal["number", "person", "household", "complaint", "org"]
    purpose: Purpose | None = None
    heard: ReceivedBy


class Lifting(Body):
    """Which ones: by number, those that may be lifted so; by id, that one's whole opt-out. `asked_on`
    and `channel`: the person's own request, newer than the opt-out."""

    number: str = Field(min_length=1, max_length=40)
    id: Id | None = None
    asked_on: Date
    channel: Channel
    why: str = Field(min_length=1, max_length=200)


class Undoing(Number):
    """One of the rows of the opt-out that I wrote down by mistake."""

    id: int


class ListQuery(Body):
    name: str = Field(pattern=NAME, max_length=40)
    column: str | None = Field(default=None, max_length=200)


class RegisterQuery(ListQuery):
    issued_at: Instant | None = None
    smaller: bool = False  # yes, it has shrunk by half


class SuppressionView(Answer):
    """One suppression on record."""

    id: int
    scope: str
    purpose: str | None
    at: datetime
    lifted_at: datetime | None
    by: str
    list: str | None
    heard: str | None
    by_id_only: bool  # not lifted by the number: a complaint, a household's no
    undoable: bool  # mine, and a moment old
    waits: bool  # proposed to be lifted


class KnownView(Answer):
    """Somebody we know at the number, on a list of my department."""

    contact: int
    campaign: str
    name: str | None
    ref: str | None


class NumberView(Answer):
    """What is on record about a number."""

    number: str  # masked
    opt_outs: list[SuppressionView]
    known: list[KnownView]
    others: int  # contacts at it on other departments' lists
    registers: list[str]  # the public registers it stands on
    added: int = 0
    lifted: int = 0
    proposed: int = 0  # rows of which it is proposed to lift them


class NumbersImported(Answer):
    """What became of a file of numbers."""

    read: int
    added: int
    unchanged: int
    duplicates: int
    refused: int
    first_refused: list[int]  # lines
    encoding: str | None = None  # as it was guessed


class RegisterView(Answer):
    name: str
    version: int
    issued_at: datetime
    size: int
    active: bool
    days_old: int
    stale: bool  # older than a policy in use allows: nobody whom it protects is called


class RegistersView(Answer):
    registers: list[RegisterView]
    most_days: int | None  # the strictest policy in use
    missing: list[str]  # respected by a policy in use, and never imported: nobody is called by it
