"""Invented lists and robot phoners for a demonstration or a simulated evening."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from callserver.database import accounts, user_lines
from callserver.domain.campaign import Campaign
from callserver.domain.role import NEEDS_CODE, Role
from callserver.domain.training import THIRD
from callserver.engine.accounts.authentication import Authentication, hash_of, new_password
from callserver.engine.context import Rules
from callserver.engine.gate import register_needs
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import public_registers
from callserver.engine.training import signatures, standings
from callserver.ports import Tx
from callserver.simulator import polling_phoners
from callserver.simulator.population import contacts_csv
from callserver.simulator.robots import Robot
from callserver.simulator.supervisors import MODES as EVERY_MODE
from callserver.simulator.supervisors import Supervisor

ORDINARY = 10
"""One of this many robots has an ordinary telephone; the others a browser."""

MEMBERS = ("OPGRADERING", "AFMELDTE", "LAPSED")


def populate(
    tx: Tx, rules: Rules, seed: int, now: datetime, phoners: int, contacts: int
) -> list[Robot]:
    """Import lists into all campaigns, and add phoners to them in turn; the robots with their tokens."""
    campaigns = list(rules.current.campaigns.values())
    share = -(-contacts // len(campaigns))
    for position, campaign in enumerate(campaigns):
        members = campaign.segment.value in MEMBERS
        text = contacts_csv(share, seed, first=position * share, members=members, bad=3)
        import_list(tx, campaign, text.encode(), now - timedelta(hours=1))
    import_registers(tx, rules, now)
    return add_phoners(tx, rules, campaigns, phoners, now)


def add_phoners(
    tx: Tx, rules: Rules, campaigns: Sequence[Campaign], phoners: int, now: datetime
) -> list[Robot]:
    """Add phoners to the campaigns in turn, who have signed everything; the robots with their tokens."""
    robots = []
    for number in range(1, phoners + 1):
        campaign = campaigns[number % len(campaigns)]
        token = f"robot-{number}"
        accounts.add(
            tx,
            id=number,
            handle=f"robot{number}",
            name=f"Robot {number}",
            role="phoner",
            department=campaign.department,
        )
        accounts.add_token(tx, hash_of(token), number, "robot", now)
        train(tx, rules, number, now)
        telephone = polling_phoners.telephone_number(number) if number % ORDINARY == 0 else None
        if telephone is not None:
            enter_line(tx, number, telephone, now)
        robots.append(Robot(number, token, campaign.name, telephone))
    return robots


def train(tx: Tx, rules: Rules, user: int, now: datetime) -> None:
    """Complete an invented user's training: everything is signed, three shifts are credited."""
    signatures.sign_all(tx, rules.current, user, now)
    invented = accounts.user(tx, user)
    if invented is not None and invented.role == Role.PHONER:
        standings.credit(
            tx, rules.current.training, invented, THIRD, "invented", now, by="invented"
        )


ON_A_REGISTER = 4532299999
"""An invented number that is in the demonstration's registers and on no list."""


def import_registers(tx: Tx, rules: Rules, now: datetime) -> None:
    """Import an issue dated yesterday of every missing register that the policies respect."""
    for name in register_needs.missing(tx, rules.current):
        issued = now - timedelta(days=1)
        public_registers.load_within(
            tx, [ON_A_REGISTER], name, issued, now, rules.current, by="demo"
        )


def enter_line(tx: Tx, user: int, number: str, now: datetime) -> None:
    """Give an invented colleague this telephone, as a confirmed line."""
    accounts.change(tx, user, line=number)
    line = user_lines.enter(tx, user, number, now, "invented")
    if line is not None:
        user_lines.change(tx, line, confirmed_at=now)


def add_supervisors(tx: Tx, rules: Rules, now: datetime, first: int = 9001) -> list[Supervisor]:
    """Add a supervisor per department with a campaign, and an administrator, who may not listen."""
    departments = sorted({campaign.department for campaign in rules.current.campaigns.values()})
    supervisors = []
    for user, department in enumerate([*departments, None], start=first):
        role = "supervisor" if department else "administrator"
        if accounts.user(tx, user) is None:  # there already: an earlier evening
            accounts.add(
                tx,
                id=user,
                handle=f"{role}{user}",
                name=f"Robot {user}",
                role=role,
                department=department,
            )
            accounts.add_token(tx, hash_of(f"robot-{user}"), user, "robot", now)
        modes = frozenset(EVERY_MODE if department else ())
        supervisors.append(Supervisor(user, f"robot-{user}", department, modes))
    return supervisors


NAMES = {
    Role.PHONER: ("maja", "Maja Prøve"),
    Role.SUPERVISOR: ("sigrid", "Sigrid Prøve"),
    Role.ADMINISTRATOR: ("asger", "Asger Prøve"),
    Role.LEADER: ("lea", "Lea Prøve"),
    Role.MEMBER_SERVICE: ("mads", "Mads Prøve"),
}
FIRST_VISITOR = 9101


@dataclass(frozen=True, slots=True)
class VisitorAccounts:
    """The visitors' accounts: one per role, with one password and one authenticator."""

    handles: Sequence[tuple[Role, str]]
    password: str
    code_key: str
    lines: Sequence[str]  # of their browsers

    def code(self, now: datetime) -> str:
        """The one-time code at `now`."""
        return pyotp.TOTP(self.code_key).at(now)


def add_visitor_accounts(
    tx: Tx,
    rules: Rules,
    authentication: Authentication,
    now: datetime,
    *,
    first_week: bool = False,
) -> VisitorAccounts:
    """Add one account per role, in the first robot's department; no robot uses them.

    `first_week`: the phoner is new and has signed nothing.
    """
    campaigns = list(rules.current.campaigns.values())
    department = campaigns[1 % len(campaigns)].department
    password, hashed = new_password()
    key = pyotp.random_base32()
    handles, lines = [], []
    for user, (role, (handle, name)) in enumerate(NAMES.items(), start=FIRST_VISITOR):
        accounts.add(
            tx,
            id=user,
            handle=handle,
            name=name,
            role=role.value,
            department=department if role in (Role.PHONER, Role.SUPERVISOR) else None,
            password=hashed,
            password_once=False,
            mentor=1 if role is Role.PHONER else None,
            code_key=authentication.keep(key) if role in NEEDS_CODE else None,
        )
        if not (first_week and role is Role.PHONER):
            train(tx, rules, user, now)
        handles.append((role, handle))
        lines += [f"client:phoner_{user}", f"client:listener_{user}"]
    return VisitorAccounts(tuple(handles), password, key, tuple(lines))
