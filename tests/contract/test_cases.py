"""Cases and messages on both databases: from the request to the answer, and what is forgotten afterwards."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from callserver.adapters.config_folder import load
from callserver.database import accounts, audit, cases, messages, migrate
from callserver.database.accounts import User
from callserver.database.cases import CaseRow
from callserver.database.feed_positions import Cursor
from callserver.database.store import AnyStore
from callserver.database.tables import case_history
from callserver.database.tables import messages as message_table
from callserver.domain.case import CaseEvent, ReplyBy, Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.message import SENDING_LASTS, Delivery, Message, MessageState
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.domain.role import Role
from callserver.engine import retention
from callserver.engine.cases import handling, intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.cases.messages import MessageDelivery
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx
from tests.harness.retention import drop_some

pytestmark = pytest.mark.anyio

RULES = load(Path(__file__).parents[2] / "config").cases
NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
NUMBER = 4532200000
TO = "anna@example.org"


class StillClock:
    """Time as the test sets it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class Post:
    """A mail server that answers as the test says; then it takes everything."""

    def __init__(self, *answers: Delivery | Exception) -> None:
        self.answers = list(answers)
        self.got: list[Message] = []

    async def send(self, message: Message) -> Delivery:
        self.got.append(message)
        answer = self.answers.pop(0) if self.answers else Delivery.SENT
        if isinstance(answer, Exception):
            raise answer
        return answer


def delivery(store: AnyStore, post: Post, clock: StillClock) -> MessageDelivery:
    return MessageDelivery(store, clock, post)  # type: ignore[arg-type]  # a part of a clock


def request(kind: CaseKind, **more: Any) -> CaseRequest:
    values: dict[str, Any] = {"number": NUMBER, "reply_by": ReplyBy.EMAIL, "reply_to": TO, **more}
    return CaseRequest(kind=kind, source=Source.EMAIL, by="user:1", at=NOW, **values)


def opened(store: AnyStore, kind: CaseKind, **more: Any) -> CaseRow:
    with store.engine.begin() as tx:
        return intake.open_case(tx, request(kind, **more), RULES, b"key")


def user(store: AnyStore, role: Role) -> User:
    with store.engine.begin() as tx:
        key = accounts.add(tx, handle=role.value, name=role.value, role=role.value)
        made = accounts.user(tx, key)
    assert made is not None
    return made


def state_of(store: AnyStore, key: int) -> str:
    with store.engine.connect() as tx:
        row = cases.find(tx, key)
    assert row is not None
    return row.state


def events(store: AnyStore, key: int) -> list[str]:
    with store.engine.connect() as tx:
        return [entry.event for entry in cases.history(tx, key)]


def states(store: AnyStore) -> Sequence[str]:
    with store.engine.connect() as tx:
        return (
            tx.execute(select(message_table.c.state).order_by(message_table.c.id)).scalars().all()
        )


async def test_take_me_off_the_list_is_done_at_once_with_a_friendly_receipt(
    store: AnyStore,
) -> None:
    row = opened(store, CaseKind.OPT_OUT)
    assert row.state == "closed"
    assert row.answered_at == row.closed_at == NOW
    assert events(store, row.id) == ["opened", "answered", "closed"]
    post = Post()
    await delivery(store, post, StillClock()).send_due()
    [sent] = post.got
    assert (sent.to, sent.subject) == (TO, "Vi ringer ikke til dig mere")
    assert "32 20 00 00" in sent.text
    assert "12. maj 2026" in sent.text
    assert "{" not in sent.text


def test_without_a_way_to_the_person_an_opt_out_waits_for_its_answer(store: AnyStore) -> None:
    assert opened(store, CaseKind.OPT_OUT, reply_by=None).state == "open"


@pytest.mark.parametrize(
    "to", ["", "anna", "anna@example", "a b@example.org", "a@b.dk\nBcc: x@y.dk"]
)
def test_an_address_that_is_none_is_refused(store: AnyStore, to: str) -> None:
    with pytest.raises(Impossible):
        opened(store, CaseKind.ACCESS, reply_to=to)


async def test_a_complaint_from_the_receipt_to_the_closing(store: AnyStore) -> None:
    leader, administrator = user(store, Role.LEADER), user(store, Role.ADMINISTRATOR)
    member_service = user(store, Role.MEMBER_SERVICE)
    key = opened(store, CaseKind.COMPLAINT, words="They called at dinner.", language="en").id

    def does(work: Any) -> None:
        with store.engine.begin() as tx:
            work(tx)

    with store.engine.connect() as tx:
        row = handling.find(tx, key, leader)
        standard = handling.template(row, RULES)[1]
    assert row.owner == leader.id
    with pytest.raises(Impossible, match="only a start"):
        does(lambda tx: handling.draft(tx, key, leader, f" {standard}\n", RULES, NOW))
    with pytest.raises(NotAllowed):
        does(lambda tx: handling.draft(tx, key, member_service, "Sorry.", RULES, NOW))
    does(lambda tx: handling.draft(tx, key, leader, "We are sorry.", RULES, NOW))
    with pytest.raises(Impossible, match="second name"):
        does(lambda tx: handling.answer(tx, key, leader, ReplyBy.EMAIL, None, RULES, NOW))
    with pytest.raises(Impossible, match="changed since"):
        does(lambda tx: handling.confirm(tx, key, administrator, "Something else", NOW))
    with pytest.raises(Impossible, match="answer only"):
        does(lambda tx: handling.close(tx, key, leader, NOW))
    does(lambda tx: handling.confirm(tx, key, administrator, "We are sorry.", NOW))
    does(lambda tx: handling.answer(tx, key, leader, ReplyBy.EMAIL, None, RULES, NOW))
    does(lambda tx: handling.close(tx, key, leader, NOW))
    assert events(store, key) == ["opened", "drafted", "confirmed", "answered", "closed"]
    post = Post()
    await delivery(store, post, StillClock()).send_due()
    receipt, answer = post.got
    assert "answers you by 20 May 2026" in receipt.text
    assert (answer.text, answer.to) == ("We are sorry.", TO)
    with store.engine.connect() as tx:
        log = str([entry.body for entry in audit.tail(tx, Cursor(0, 0), 100)])
    assert "dinner" not in log
    assert "sorry" not in log
    assert TO not in log


def test_a_hand_over_needs_somebody_who_may_own_the_case(store: AnyStore) -> None:
    leader, member_service = user(store, Role.LEADER), user(store, Role.MEMBER_SERVICE)
    supervisor = user(store, Role.SUPERVISOR)
    complaint, access = opened(store, CaseKind.COMPLAINT).id, opened(store, CaseKind.ACCESS).id
    with store.engine.begin() as tx:
        handling.hand_over(tx, access, member_service, leader.id, NOW)
        row = cases.find(tx, access)
        assert row is not None
        assert (row.owner, row.owner_role) == (leader.id, "leader")
    for wrong in (member_service.id, supervisor.id):
        with pytest.raises(NotAllowed), store.engine.begin() as tx:
            handling.hand_over(tx, complaint, leader, wrong, NOW)
    with pytest.raises(NotFound), store.engine.begin() as tx:
        handling.note(tx, complaint, supervisor, "Mine?", NOW)


async def test_a_message_is_tried_again_and_given_up_with_the_case_open_again(
    store: AnyStore,
) -> None:
    clock = StillClock()
    key = opened(store, CaseKind.OPT_OUT).id
    post = Post(*[Delivery.LATER] * 20)
    sending = delivery(store, post, clock)
    for _ in range(12):
        await sending.send_due()
        clock.at += timedelta(days=2)
    assert len(post.got) == 9
    assert states(store) == [MessageState.GIVEN_UP]
    assert state_of(store, key) == "open"
    assert events(store, key)[-1] == CaseEvent.UNDELIVERED
    with store.engine.connect() as tx:
        assert messages.not_delivered(tx) == 1


@pytest.mark.parametrize("answer", [Delivery.UNKNOWN, TimeoutError("nothing")])
async def test_what_may_have_arrived_is_never_sent_again_by_itself(
    store: AnyStore, answer: Delivery | Exception
) -> None:
    member_service = user(store, Role.MEMBER_SERVICE)
    clock, post = StillClock(), Post(answer)
    key = opened(store, CaseKind.OPT_OUT).id
    sending = delivery(store, post, clock)
    for _ in range(3):
        await sending.send_due()
        clock.at += timedelta(days=1)
    assert len(post.got) == 1
    assert states(store) == [MessageState.UNKNOWN]
    assert state_of(store, key) == "closed"
    with store.engine.begin() as tx:  # somebody decides
        handling.send_again(tx, key, post.got[0].key, member_service, clock.at)
    with pytest.raises(Impossible), store.engine.begin() as tx:
        handling.send_again(tx, key, post.got[0].key, member_service, clock.at)
    await sending.send_due()
    assert [message.to for message in post.got] == [TO, TO]
    assert states(store) == [MessageState.REPLACED, MessageState.SENT]


async def test_a_process_that_dies_while_it_sends_leaves_the_message_to_be_looked_at(
    store: AnyStore,
) -> None:
    clock, post = StillClock(), Post()
    opened(store, CaseKind.OPT_OUT)
    with store.engine.begin() as tx:
        taken = messages.take_next(tx, NOW)  # and is killed here
    sending = delivery(store, post, clock)
    await sending.send_due()
    assert states(store) == [MessageState.SENDING]
    clock.at += SENDING_LASTS
    await sending.send_due()
    assert (states(store), post.got) == ([MessageState.UNKNOWN], [])
    assert taken is not None
    assert taken.tries == 1


async def test_a_message_waits_for_as_long_as_nobody_sends_it(store: AnyStore) -> None:
    opened(store, CaseKind.OPT_OUT)
    clock, post = StillClock(), Post()
    clock.at += timedelta(days=3)  # the server was down
    await delivery(store, post, clock).send_due()
    assert len(post.got) == 1


def test_words_are_forgotten_and_figures_stay(store: AnyStore) -> None:
    member_service = user(store, Role.MEMBER_SERVICE)
    key = opened(store, CaseKind.OPT_OUT, words="Please stop.").id
    still_open = opened(store, CaseKind.ACCESS, words="What do you know?").id
    with store.engine.begin() as tx:
        handling.note(tx, key, member_service, "A friendly man.", NOW)
        policy = RetentionPolicy()
        assert not drop_some(tx, policy, RetentionClass.CASES, NOW, "test")
        kept = cases.find(tx, key)
        assert kept is not None
        assert kept.words == "Please stop."
        later = NOW + timedelta(days=policy.cases.days, seconds=1)
        assert retention.due(tx, policy, later)[RetentionClass.CASES] == 1
        drop_some(tx, policy, RetentionClass.CASES, later, "test")
        assert retention.due(tx, policy, later)[RetentionClass.CASES] == 0
        row, other = cases.find(tx, key), cases.find(tx, still_open)
        assert row is not None
        assert other is not None
        assert (row.words, row.number, row.reply_to, row.draft) == (None, None, None, None)
        assert (row.kind, row.answered_at, other.words) == ("opt_out", NOW, "What do you know?")
        assert set(tx.execute(select(case_history.c.note)).scalars()) == {None}
        sent = messages.of_case(tx, key)
        assert {(message.to, message.subject, message.text) for message in sent} == {
            (None, None, None)
        }


def test_one_opt_out_belongs_to_one_case(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        row = intake.open_case(tx, request(CaseKind.COMPLAINT, group="a1"), RULES, b"key")
        again = intake.open_case(tx, request(CaseKind.COMPLAINT, group="a1"), RULES, b"key")
    assert row.id == again.id
    with pytest.raises(IntegrityError), store.engine.begin() as tx:
        cases.add(tx, row.case, received_by="x", by="x", language="da", opt_out="a1")


def test_complaints_from_before_become_cases_of_the_project_leader(store: AnyStore) -> None:
    migrate.downgrade(store.engine, "0014")

    def insert(tx: Tx, key: int, scope: str, group: str, lifted: str = "NULL") -> None:
        tx.exec_driver_sql(
            "INSERT INTO suppressions (id, subject, scope, at, lifted_at, by, opt_out) VALUES"
            f" ({key}, 'person:7', '{scope}', 1778598000000000, {lifted}, 'user:1', {group})"
        )

    with store.engine.begin() as tx:
        insert(tx, 1, "complaint", "'a1'")
        insert(tx, 2, "complaint", "'a1'")
        insert(tx, 3, "complaint", "NULL")
        insert(tx, 4, "complaint", "'gone'", "1778598000000001")
        insert(tx, 5, "person", "'other'")
    migrate.upgrade(store.engine)
    with store.engine.connect() as tx:
        rows = cases.listed(tx)
    assert [(row.kind, row.state, row.owner_role) for row in rows] == [
        ("complaint", "open", "leader")
    ] * 2
    assert {row.deadline for row in rows} == {datetime(2026, 5, 20, 22, tzinfo=UTC)}
    with store.engine.begin() as tx:  # the database counts on from there
        assert intake.open_case(tx, request(CaseKind.ACCESS), RULES, b"key").id == 3
