"""What colleagues record about a person: a consent, its revocation, a guardian, erasure."""

from pydantic import AwareDatetime, Field

from callserver.console.endpoint import Answer, Body, Endpoint, UserRequest
from callserver.console.fields import Id
from callserver.domain import phone
from callserver.domain.phone import NumberProblem
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.suppressions import person_facts
from callserver.engine.suppressions.person_facts import Fact
from callserver.errors import Impossible
from callserver.ports import Tx


class AboutPerson(Body):
    number: str = Field(min_length=1, max_length=40)
    contact: Id | None = None  # which, where several people are known at the number


class ConsentGiven(AboutPerson):
    at: AwareDatetime  # when it was given
    telephone: bool = True  # whether it covers calls; no: letters only
    proof: str | None = Field(default=None, min_length=1, max_length=200)  # where it is kept


class FactNoted(AboutPerson):
    fact: Fact


class Recorded(Answer):
    contacts: list[
        int
    ]  # of the persons concerned; with a consent, those that are dialed again because of it


class PersonFactsApi:
    """Records what was learned outside a call."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/person/consent", Action.LIFT, self.consent),
            Endpoint("POST", "/person/facts", Action.SUPPRESS, self.note),
        ]

    async def consent(self, request: UserRequest, body: ConsentGiven) -> Recorded:
        """Record a consent to be called."""
        number = _number(body.number)

        def work(tx: Tx) -> list[int]:
            now = self._ctx.clock.now()
            known = person_facts.find(tx, number, body.contact)
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
        """Record a revoked consent or a guardian, or erase a person: no more calls from now on."""
        number = _number(body.number)

        def work(tx: Tx) -> list[int]:
            now = self._ctx.clock.now()
            known = person_facts.find(tx, number, body.contact)
            if body.fact is Fact.ERASED:
                person_facts.erase(tx, number, known, self._ctx.secret, request.by, now)
            else:
                person_facts.note(tx, number, known, body.fact, request.by, now)
            return [contact.id for contact in known]

        concerned = await self._ctx.store.run(work)
        return Recorded(contacts=concerned)


def _number(text: str) -> int:
    number = phone.parse(text.strip())
    if isinstance(number, NumberProblem):
        raise Impossible(
            f"this is not a telephone number: {number.value}", key=f"number_{number.value}"
        )
    return phone.to_int(number)
