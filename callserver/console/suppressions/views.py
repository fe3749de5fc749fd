"""The suppressions page's requests and answers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from callserver.console.endpoint import Answer, Body
from callserver.console.fields import Date, Id, Instant
from callserver.domain.facts import Purpose
from callserver.domain.label import Label
from callserver.engine.suppressions.lifting import Channel
from callserver.engine.suppressions.opt_outs import ReceivedBy

NAME = r"^[A-Za-zÆØÅæøå_ -]+[0-9]{0,4}$"
"""A list's name is logged: words and perhaps a year, nothing that could be a telephone number."""


class NumberQuery(Body):
    number: str = Field(min_length=1, max_length=40)


class NewSuppression(NumberQuery):
    """An opt-out: its scope and how it was received. `purpose` is allowed with the scope `org` only."""

    scope: Literal["number", "person", "household", "complaint", "org"]
    purpose: Purpose | None = None
    received_by: ReceivedBy


class Lifting(Body):
    """What to lift: by number, the opt-outs that may be lifted so; by id, that row's whole opt-out.
    `asked_on` and `channel`: the person's request, newer than the opt-out."""

    number: str = Field(min_length=1, max_length=40)
    id: Id | None = None
    asked_on: Date
    channel: Channel
    why: str = Field(min_length=1, max_length=200)


class Undoing(NumberQuery):
    """One of the suppressions of the opt-out that I recorded by mistake."""

    id: int


class ListQuery(Body):
    name: str = Field(pattern=NAME, max_length=40)
    column: str | None = Field(default=None, max_length=200)


class RegisterQuery(ListQuery):
    issued_at: Instant | None = None
    smaller: bool = False  # confirms that the register has shrunk by more than half
    older: bool = False  # confirms that the issue is older than the one in force


class SuppressionView(Answer):
    """One stored suppression."""

    id: int
    scope: str
    purpose: str | None
    at: datetime
    lifted_at: datetime | None
    by: str
    list: str | None
    received_by: str | None
    by_id_only: bool  # cannot be lifted by the number: a complaint or a household's opt-out
    undoable: bool  # recorded by me within the last minutes
    waits: bool  # a proposal to lift it waits


class KnownView(Answer):
    """A contact with the number, or whose person had it formerly, on a list of my department."""

    contact: int
    campaign: str
    title: Label  # of the campaign
    name: str | None
    ref: str | None
    formerly: bool  # the list gives another number now


class NumberView(Answer):
    """What is stored about a number."""

    number: str  # masked
    opt_outs: list[SuppressionView]
    known: list[KnownView]
    others: int  # contacts with it on other departments' lists
    registers: list[str]  # the public registers that list it
    added: int = 0
    lifted: int = 0
    proposed: int = 0  # suppressions that are proposed to be lifted


class PeopleView(Answer):
    """How the people of the lists compare with a register of names and addresses."""

    listed: int
    unsure: int
    clear: int


class NumbersImported(Answer):
    """The result of importing a file of numbers."""

    read: int
    added: int
    unchanged: int
    duplicates: int
    refused: int
    first_refused: list[int]  # lines
    named: int = 0  # people whom rows of opt-outs name: suppressed under all their numbers
    unrecognised: int = 0  # rows of opt-outs without any number: these people are not protected
    encoding: str | None = None  # as it was guessed
    above: str = ""  # a title above the headings, which is skipped: lines and texts
    people: PeopleView | None = None  # after the official file of names and addresses


class RegisterView(Answer):
    name: str
    version: int
    kind: str  # numbers, or people: names and addresses
    issued_at: datetime
    size: int
    active: bool
    days_old: int
    stale: bool  # older than a policy in use allows: nobody is called under that policy


class RegistersView(Answer):
    registers: list[RegisterView]
    most_days: int | None  # the strictest policy in use
    missing: list[str]  # respected by a policy in use, never imported: nobody is called under it
