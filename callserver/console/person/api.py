"""The person page's API: finding a person, everything known about them, and what may be done.

Numbers, names and references come in the body of a POST, never in an address. Each search and each page
that is opened is logged with its reason, and how many a user may open in a short time is limited.
"""

from starlette.responses import Response

from callserver.console.endpoint import Done, Endpoint, UserRequest
from callserver.console.person import record_view
from callserver.console.person.views import (
    CopyQuery,
    Decision,
    Hit,
    Hits,
    NewOptOut,
    PersonQuery,
    PersonSearch,
    PersonView,
    UndoMark,
)
from callserver.database import person_search
from callserver.database.contacts import Contact
from callserver.domain import phone
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.facts import Scope
from callserver.domain.role import Action
from callserver.engine.audit_log import receipts
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import EngineContext
from callserver.engine.identity import decisions, known_at
from callserver.engine.once import once
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.reporting import person_copy, person_copy_page, person_record
from callserver.engine.reporting.person_copy_model import PersonCopy
from callserver.engine.reporting.person_record_text import campaign_title
from callserver.engine.suppressions import mark_undo, opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import NotAllowed, NotFound
from callserver.ports import Tx
from callserver.settings import Settings

MOST_HITS = 20
MOST_ROWS = 200
"""Rows of contacts that a search groups by person."""

_DECISIONS = {
    "same": decisions.merge,
    "different": decisions.split,
    "undecided": decisions.undo,
}

NEVER = (Scope.PERSON, Scope.NUMBER)


class PersonApi:
    """What member service, supervisors, administrators and the project leader see of a person."""

    def __init__(self, ctx: EngineContext, settings: Settings, pacing: RateLimits) -> None:
        self._ctx = ctx
        self._settings = settings
        self._pacing = pacing

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/person/search", Action.LOOK_UP, self.search),
            Endpoint("POST", "/person", Action.LOOK_UP, self.view),
            Endpoint("POST", "/person/opt-out", Action.SUPPRESS, self.opt_out, makes=True),
            Endpoint("POST", "/person/undo", Action.UNDO_MARK, self.undo),
            Endpoint("POST", "/person/decide", Action.DECIDE_IDENTITY, self.decide),
            Endpoint("POST", "/person/copy", Action.HAND_OUT, self.copy),
        ]

    async def search(self, request: UserRequest, body: PersonSearch) -> Hits:
        """People with this number, reference or name. The search is logged for each of them."""
        await self._pacing.step(RateLimited.LOOK_UP, request.user.id)
        rows = await self._ctx.store.read(lambda tx: _found(tx, body.text))
        people: dict[int, list[Contact]] = {}
        for row in rows[:MOST_ROWS]:
            people.setdefault(row.person, []).append(row)
        seen = [mine for known in people.values() if (mine := self._seen(request, known))]
        shown, now = seen[:MOST_HITS], self._ctx.clock.now()
        ids = [row.id for known in shown for row in known]
        await self._ctx.store.run(lambda tx: person_record.record_search(tx, ids, request.by, now))
        return Hits(
            hits=[self._hit(request, known) for known in shown],
            elsewhere=len(people) - len(seen),
            more=len(seen) > MOST_HITS or len(rows) > MOST_ROWS,
        )

    async def view(self, request: UserRequest, body: PersonQuery) -> PersonView:
        """Everything known about one person on all lists. That it was opened is logged."""
        await self._pacing.step(RateLimited.LOOK_UP, request.user.id)
        now = self._ctx.clock.now()

        def work(tx: Tx) -> PersonView:
            known = self._known(tx, request, body.contact)
            shown = record_view.view(tx, self._ctx, request, known, body.contact, now)
            mine = self._seen(request, known)
            person_record.record_view(tx, mine, body.why, request.by, now)
            return shown

        return await self._ctx.store.run(work)

    async def opt_out(self, request: UserRequest, body: NewOptOut) -> Done:
        """Record an opt-out of the person: it is in force before the answer."""
        now, secret = self._ctx.clock.now(), self._ctx.secret
        scopes = NEVER if body.scope == "never" else (Scope(body.scope),)

        def make(tx: Tx) -> None:
            known = self._known(tx, request, body.contact)
            if Scope.COMPLAINT in scopes:
                complaint = CaseRequest(
                    kind=CaseKind.COMPLAINT,
                    source=Source(body.received_by),
                    by=request.by,
                    at=now,
                    people=known,
                    contact=body.contact,
                    scopes=scopes,
                    purpose=body.purpose,
                )
                intake.open_case(tx, complaint, self._ctx.rules.current.cases, secret)
                return
            received_by, contact = body.received_by, body.contact
            origin = Origin(by=request.by, at=now, received_by=received_by, contact=contact)
            opt_outs.add(tx, scopes, None, known, secret, origin, purpose=body.purpose)

        await self._ctx.store.run(lambda tx: once(tx, request.sent, now, lambda: make(tx)))
        return Done()

    async def undo(self, request: UserRequest, body: UndoMark) -> Done:
        """A mark was recorded by mistake: it counts no longer, and contacts it closed are dialed again."""
        now = self._ctx.clock.now()
        campaigns = self._ctx.rules.current.campaigns

        def work(tx: Tx) -> None:
            known = self._known(tx, request, body.contact)
            mark_undo.undo(tx, None, known, body.mark, body.why, request.user, campaigns, now)

        await self._ctx.store.run(work)
        return Done()

    async def decide(self, request: UserRequest, body: Decision) -> Done:
        """Decide that two contacts are one person, or two; until then the strictest reading applies."""
        now = self._ctx.clock.now()
        decide = _DECISIONS[body.verdict]

        def work(tx: Tx) -> None:
            known = [*self._known(tx, request, body.contact), *self._known(tx, request, body.other)]
            why = opt_outs.check_why(body.why, known)
            decide(tx, body.contact, body.other, by=request.by, why=why, now=now)

        await self._ctx.store.run(work)
        return Done()

    async def copy(self, request: UserRequest, body: CopyQuery) -> Response:
        """Everything on record about the person, for the person: to read, or for machines. It is logged."""
        if request.user.department is not None:
            raise NotAllowed("only for users of all departments", key="whole_person")
        await self._pacing.step(RateLimited.LOOK_UP, request.user.id)
        now, ctx = self._ctx.clock.now(), self._ctx
        language = body.language or request.language
        published = receipts.if_opened(self._settings)

        def work(tx: Tx) -> PersonCopy:
            known = self._known(tx, request, body.contact)
            made = person_copy.make(tx, ctx.rules, ctx.secret, known, language, now, published)
            person_copy.record_copy(tx, known, request.by, now)
            return made

        made = await ctx.store.run(work)
        name = f"person-{body.contact}.{body.format}"
        headers = {
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        if body.format == "json":
            content = made.model_dump_json(indent=2)
            return Response(content, headers=headers, media_type="application/json")
        return Response(person_copy_page.page(made), headers=headers, media_type="text/html")

    def _known(self, tx: Tx, request: UserRequest, contact: int) -> list[Contact]:
        """The person's rows on every list, if the user may see the one that was named."""
        known = person_record.rows_of(tx, contact)
        if contact not in {row.id for row in self._seen(request, known)}:
            raise NotFound(f"there is no contact {contact}", key="not_found")
        return known

    def _seen(self, request: UserRequest, known: list[Contact]) -> list[Contact]:
        rules = self._ctx.rules
        return [row for row in known if request.sees(rules.department(row.campaign))]

    def _hit(self, request: UserRequest, known: list[Contact]) -> Hit:
        rules, language = self._ctx.rules, request.language
        return Hit(
            contact=known[0].id,
            name=next((row.name for row in known if row.name), None),
            refs=list(dict.fromkeys(row.ref for row in known if row.ref)),
            numbers=record_view.masked(known),
            campaigns=[campaign_title(rules, row.campaign, language) for row in known],
        )


def _found(tx: Tx, text: str) -> list[Contact]:
    """By number if the text is one, also who had it formerly; by reference; by name."""
    most = MOST_ROWS + 1
    number = phone.parse(text.strip())
    rows = []
    if isinstance(number, str):
        rows = known_at.contacts_of(known_at.everybody(tx, phone.to_int(number)))
    rows = rows[:most] + person_search.by_reference(tx, text, most)
    if any(letter.isalpha() for letter in text):
        rows += person_search.by_name(tx, text, most)
    return list({row.id: row for row in rows}.values())
