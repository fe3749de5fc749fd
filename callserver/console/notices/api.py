"""The notices page's API: the case of the month, talks by experts, and questions to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from callserver.console import markup
from callserver.console.endpoint import Access, Done, Endpoint, Nothing, UserRequest
from callserver.console.live_sources import Causes, Updates
from callserver.console.notices.views import (
    CurrentNotices,
    CurrentView,
    NewQuestion,
    NoticesView,
    NoticeText,
    NoticeView,
    QuestionsView,
    QuestionView,
    Search,
)
from callserver.database import accounts, notices
from callserver.database.audit import Entry
from callserver.database.notices import NoticeRow
from callserver.domain import notice as rules
from callserver.domain.audit import EntryKind
from callserver.domain.notice import Notice, NoticeKind
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.notices import board
from callserver.engine.once import once
from callserver.ports import Tx


class NoticesApi:
    """Everybody reads and asks; supervisors and the project leader write."""

    causes: ClassVar[Causes] = {"notices": {EntryKind.NOTICE}}

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        write, signed_in = Action.WRITE_NOTICES, Access.SIGNED_IN
        return [
            Endpoint("POST", "/notices/search", signed_in, self.search),
            Endpoint("GET", "/notices/current", signed_in, self.current),
            Endpoint("POST", "/notices", write, self.write, makes=True),
            Endpoint("POST", "/notices/{notice}", write, self.change),
            Endpoint("POST", "/notices/{notice}/remove", write, self.remove),
            Endpoint("POST", "/notices/{notice}/questions", signed_in, self.ask, makes=True),
            Endpoint("GET", "/notices/{notice}/questions", write, self.questions),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """What is shown before a shift, whenever a notice was written, changed or removed."""
        if not any(entry.body["kind"] == EntryKind.NOTICE for entry in news):
            return ()
        return [("notices", await self.current(request))]

    async def search(self, request: UserRequest, body: Search) -> NoticesView:
        """The notices for me in which all words occur, the latest first."""
        return await self._ctx.store.read(lambda tx: self._view(tx, request, body.words))

    async def current(self, request: UserRequest) -> CurrentNotices:
        """The coming talks and the case of the month, before a shift."""
        now = self._ctx.clock.now()
        rows = await self._ctx.store.read(lambda tx: board.current(tx, request.user, now))
        return CurrentNotices(
            notices=[
                CurrentView(
                    id=row.id,
                    kind=NoticeKind(row.kind),
                    title=row.title,
                    at=row.at,
                    expert=row.expert,
                    takes_questions=rules.takes_questions(NoticeKind(row.kind), row.at, now),
                )
                for row in rows
            ]
        )

    async def write(self, request: UserRequest, body: NoticeText) -> NoticesView:
        """Publish a notice, for my department or for all."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> NoticesView:
            rules, user, notice, none = (
                self._ctx.rules,
                request.user,
                _notice(body),
                body.has_no_number,
            )
            once(
                tx,
                request.sent,
                now,
                lambda: board.write(tx, rules, user, notice, now, has_no_number=none),
            )
            return self._view(tx, request)

        return await self._ctx.store.run(work)

    async def change(self, request: UserRequest, notice: int, body: NoticeText) -> NoticesView:
        """Change a notice."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> NoticesView:
            board.change(
                tx,
                self._ctx.rules,
                request.user,
                notice,
                _notice(body),
                now,
                has_no_number=body.has_no_number,
            )
            return self._view(tx, request)

        return await self._ctx.store.run(work)

    async def remove(self, request: UserRequest, notice: int, body: Nothing) -> NoticesView:
        """Remove a notice with its questions."""
        del body
        now = self._ctx.clock.now()

        def work(tx: Tx) -> NoticesView:
            board.remove(tx, request.user, notice, now)
            return self._view(tx, request)

        return await self._ctx.store.run(work)

    async def ask(self, request: UserRequest, notice: int, body: NewQuestion) -> Done:
        """Ask the expert a question before the talk, with my name or anonymously."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> None:
            board.ask(
                tx,
                request.user,
                notice,
                body.text,
                now,
                anonymous=body.anonymous,
                has_no_number=body.has_no_number,
            )

        await self._ctx.store.run(lambda tx: once(tx, request.sent, now, lambda: work(tx)))
        return Done()

    async def questions(self, request: UserRequest, notice: int) -> QuestionsView:
        """The questions to the expert."""

        def work(tx: Tx) -> QuestionsView:
            names = {user.id: user.name for user in accounts.every(tx)}
            return QuestionsView(
                questions=[
                    QuestionView(
                        text=row.text,
                        sender=None if row.sender is None else names.get(row.sender, ""),
                    )
                    for row in board.questions(tx, request.user, notice)
                ]
            )

        return await self._ctx.store.run(work)

    def _view(self, tx: Tx, request: UserRequest, words: str = "") -> NoticesView:
        rows, now = board.search(tx, request.user, words), self._ctx.clock.now()
        names = {user.id: user.name for user in accounts.every(tx)}
        counts = notices.question_counts(tx, [row.id for row in rows])
        departments = self._ctx.rules.current.departments
        return NoticesView(
            notices=[_presented(row, request, names, counts, now) for row in rows],
            departments={
                name: department.title
                for name, department in departments.items()
                if _may_write(request, name)
            },
            all=_may_write(request, None),
        )


def _may_write(request: UserRequest, department: str | None) -> bool:
    return request.may(Action.WRITE_NOTICES) and rules.may_write(
        board.reader(request.user), department
    )


def _presented(
    row: NoticeRow,
    request: UserRequest,
    names: Mapping[int, str],
    counts: Mapping[int, int],
    now: datetime,
) -> NoticeView:
    writes, kind = _may_write(request, row.department), NoticeKind(row.kind)
    return NoticeView(
        id=row.id,
        kind=kind,
        title=row.title,
        html=markup.rendered(row.text),
        at=row.at,
        department=row.department,
        expert=row.expert,
        by=names.get(row.by, ""),
        takes_questions=rules.takes_questions(kind, row.at, now),
        text=row.text if writes else None,
        questions=counts.get(row.id, 0) if writes and kind is NoticeKind.TALK else None,
    )


def _notice(body: NoticeText) -> Notice:
    return Notice(
        body.kind,
        body.title.strip(),
        body.text.strip(),
        body.at,
        body.department or None,
        body.expert.strip() or None,
    )
