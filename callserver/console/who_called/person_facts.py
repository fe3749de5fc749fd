"""What colleagues record about a person: a consent, its revocation, a guardian, a death, erasure."""

from collections.abc import Sequence
from functools import partial

from pydantic import AwareDatetime, Field

from callserver import texts
from callserver.adapters.uploads import Uploads
from callserver.console.endpoint import Answer, Body, Endpoint, UserRequest
from callserver.console.fields import Id
from callserver.database.contacts import Contact
from callserver.domain import phone
from callserver.domain.role import Action
from callserver.engine.cases.messages import ForgottenFiles
from callserver.engine.context import EngineContext
from callserver.engine.once import once
from callserver.engine.outcomes import undone_agreements
from callserver.engine.suppressions import erasure, person_facts
from callserver.engine.suppressions.erasure import Erased
from callserver.engine.suppressions.person_facts import Fact
from callserver.errors import NotFound
from callserver.ports import Tx


class AboutPerson(Body):
    """By number, by contact or both: the contact says which of several people at the number."""

    number: str | None = Field(default=None, min_length=1, max_length=40)
    contact: Id | None = None


class ConsentGiven(AboutPerson):
    at: AwareDatetime  # when it was given
    telephone: bool = True  # whether it covers calls; no: letters only
    proof: str | None = Field(default=None, min_length=1, max_length=200)  # where it is kept


class FactNoted(AboutPerson):
    fact: Fact


class Misinformed(AboutPerson):
    words: str = Field(default="", max_length=4000)  # what the person was told


class CaseOpened(Answer):
    id: int


class Recorded(Answer):
    # Of the persons concerned; with a consent, those that are dialed again because of it.
    contacts: list[int]
    remains: Sequence[str] = ()  # after an erasure: what is kept, in words


class PersonFactsApi:
    """Records what was learned outside a call."""

    def __init__(self, ctx: EngineContext, uploads: Uploads, messages: ForgottenFiles) -> None:
        self._ctx = ctx
        self._uploads = uploads
        self._messages = messages

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/person/consent", Action.LIFT, self.consent),
            Endpoint("POST", "/person/facts", Action.SUPPRESS, self.note),
            Endpoint("POST", "/person/misinformed", Action.SUPPRESS, self.misinformed, makes=True),
        ]

    async def consent(self, request: UserRequest, body: ConsentGiven) -> Recorded:
        """Record a consent to be called."""

        def work(tx: Tx) -> list[int]:
            now = self._ctx.clock.now()
            number, known = self._find(tx, request, body, formerly=False)
            return person_facts.consent(
                tx,
                number,
                known,
                request.by,
                now,
                at=body.at,
                telephone=body.telephone,
                proof=body.proof,
            )

        return Recorded(contacts=await self._ctx.store.run(work))

    async def note(self, request: UserRequest, body: FactNoted) -> Recorded:
        """Record a revoked consent, a guardian, a death, that the person is vulnerable or that the number is
        somebody else's; or erase a person. No more calls from now on."""
        if body.fact is Fact.ERASED:
            return await self._erase(request, body)

        def work(tx: Tx) -> list[int]:
            formerly = body.fact not in person_facts.OF_THE_NUMBER
            number, known = self._find(tx, request, body, formerly=formerly)
            person_facts.note(tx, number, known, body.fact, request.by, self._ctx.clock.now())
            return [contact.id for contact in known]

        return Recorded(contacts=await self._ctx.store.run(work))

    async def misinformed(self, request: UserRequest, body: Misinformed) -> CaseOpened:
        """The person's latest agreement was based on wrong information: it is undone, and a complaint opened."""
        ctx, now = self._ctx, self._ctx.clock.now()

        def work(tx: Tx) -> int:
            number, known = self._find(tx, request, body, formerly=True)
            undo = partial(undone_agreements.undo, tx, ctx.rules, ctx.secret, known)
            case = undo(number=number, words=body.words, by=request.by, now=now)
            return case.id

        made = await ctx.store.run(lambda tx: once(tx, request.sent, now, lambda: work(tx)))
        return CaseOpened(id=made)

    async def _erase(self, request: UserRequest, body: FactNoted) -> Recorded:
        def work(tx: Tx) -> Erased:
            number, known = self._find(tx, request, body, formerly=True)
            now = self._ctx.clock.now()
            return erasure.erase(tx, number, known, self._ctx.secret, request.by, now)

        erased = await self._ctx.store.run(work)
        await self._uploads.drop_containing(erased.words)
        await self._messages.drop()
        await self._ctx.store.checkpoint()
        remains = [texts.say(request.language, f"erased.{key}") for key in erasure.REMAINS]
        return Recorded(contacts=list(erased.contacts), remains=remains)

    def _find(
        self, tx: Tx, request: UserRequest, body: AboutPerson, *, formerly: bool
    ) -> tuple[int, list[Contact]]:
        """The number, and the rows of the person meant.

        Raises:
            NotFound: neither is named, or the contact is not known or on another department's list.
        """
        number = None if body.number is None else phone.to_int(phone.typed(body.number))
        known = person_facts.find(tx, number, body.contact, formerly=formerly)
        if number is not None:
            return number, known
        named = next(row for row in known if row.id == body.contact)
        if not request.sees(self._ctx.rules.department(named.campaign)):
            raise NotFound("there is no such contact", key="not_found")
        return named.number, known
