"""People who may or may not be on a register of names and addresses."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from callserver.console.endpoint import Answer, Body, Done, Endpoint, UserRequest
from callserver.console.fields import Id
from callserver.database.register_people import ListedPerson
from callserver.domain.campaign import Campaign
from callserver.domain.label import Label
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.suppressions import register_review
from callserver.engine.suppressions.register_review import UnsurePerson
from callserver.ports import Tx

MOST_ENTRIES = 5
"""Entries of the register that are shown for one person."""


class OwnRecordView(Answer):
    """The person on one of our lists."""

    campaign: str
    title: Label  # of the campaign
    name: str
    address: str
    postcode: str


class EntryView(Answer):
    """An entry of the register that may be the person."""

    name: str
    address: str
    place: str
    postal: str
    is_former: bool


class UnsureView(Answer):
    """A person and the entries that may be them."""

    contact: int
    register_name: str
    own: list[OwnRecordView]
    entries: list[EntryView]
    more: int  # entries that are not shown
    state: str


class ReviewView(Answer):
    """What there is to decide."""

    people: list[UnsureView]
    unsure: int
    incomparable: int
    most: int


class RegisterDecision(Body):
    """Whether the person is among the entries that were shown."""

    contact: Id
    listed: bool
    state: str = Field(pattern=r"^[0-9a-f]{1,16}$")


class RegisterReviewApi:
    """Member service and the project leader decide about people who are unsure."""

    def __init__(self, ctx: EngineContext, pacing: RateLimits) -> None:
        self._ctx = ctx
        self._pacing = pacing

    def endpoints(self) -> list[Endpoint]:
        needs = Action.DECIDE_REGISTER
        return [
            Endpoint("GET", "/registers/unsure", needs, self.unsure),
            Endpoint("POST", "/registers/decide", needs, self.decide),
        ]

    async def unsure(self, request: UserRequest) -> ReviewView:
        """People to decide about, beside the entries that may be them. The look-up is logged."""
        now = self._ctx.clock.now()
        await self._pacing.step(RateLimited.LOOK_UP, request.user.id)
        rules = self._ctx.rules.current
        review = await self._ctx.store.read(
            lambda tx: register_review.to_decide(tx, rules, request.sees)
        )
        campaigns = rules.campaigns

        def seen(person: UnsurePerson) -> list[ListedPerson]:
            return [
                row
                for row in person.rows
                if row.campaign in campaigns and request.sees(campaigns[row.campaign].department)
            ]

        people = [_view(person, seen(person), campaigns) for person in review.people]
        if people:
            await self._ctx.store.run(
                lambda tx: register_review.record_look_up(tx, review, request.by, now)
            )
        return ReviewView(
            people=people,
            unsure=review.unsure,
            incomparable=review.incomparable,
            most=register_review.MOST_SHOWN,
        )

    async def decide(self, request: UserRequest, body: RegisterDecision) -> Done:
        """Whether the person is on the register; in force at the next dial, and for the next issues."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> None:
            register_review.decide(
                tx,
                body.contact,
                self._ctx.rules.current,
                request.sees,
                now,
                by=request.by,
                is_listed=body.listed,
                state=body.state,
            )

        await self._ctx.store.run(work)
        return Done()


def _view(
    person: UnsurePerson, own: Sequence[ListedPerson], campaigns: Mapping[str, Campaign]
) -> UnsureView:
    entries = [candidate.entry.record for candidate in person.candidates]
    return UnsureView(
        contact=own[0].contact,
        register_name=person.register,
        own=[
            OwnRecordView(
                campaign=row.campaign,
                title=campaigns[row.campaign].title,
                name=row.person.name,
                address=row.person.address,
                postcode=row.person.postcode,
            )
            for row in own
        ],
        entries=[
            EntryView(
                name=entry.name,
                address=entry.address,
                place=entry.place,
                postal=entry.postal,
                is_former=entry.is_former,
            )
            for entry in entries[:MOST_ENTRIES]
        ],
        more=max(len(entries) - MOST_ENTRIES, 0),
        state=person.state,
    )
