"""Who may do what: the one table of roles and actions.

Every address of the people's door names its action; a test walks each with every role and with none.
A department is a data boundary: whoever has one sees and does only what is that department's.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    PHONER = "phoner"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    LEADER = "leader"  # the project leader
    MEMBER_SERVICE = "member_service"


class Action(StrEnum):
    """One thing that somebody may be allowed to do; also the scopes of a bearer token."""

    PHONE = "phone"  # a shift: ready, pause, outcome, wishes, dial by hand
    SEE_FLOOR = "see_floor"
    LISTEN = "listen"
    COACH = "coach"  # only the phoner hears
    JOIN = "join"  # everybody hears
    LISTEN_TO_MENTOR = "listen_to_mentor"  # a trainee, to the mentor she is bound to
    LEAD_FLOOR = "lead_floor"  # pause campaigns, end shifts, answer raised hands
    CORRECT = "correct"  # replace an outcome; a phoner only her own
    SEE_RULES = "see_rules"
    CHANGE_RULES = "change_rules"  # propose; what is not looser takes effect at once
    APPROVE_RULES = "approve_rules"  # the second person for a looser rule
    IMPORT = "import"
    EXPORT = "export"
    ACCOUNTS = "accounts"
    SUPPRESS = "suppress"
    LIFT = "lift"  # end a suppression
    LOOK_UP = "look_up"  # who called this number, and why
    SEE_AUDIT = "see_audit"
    SEE_REPORTS = "see_reports"


R, A = Role, Action

MAY: Mapping[Role, frozenset[Action]] = {
    R.PHONER: frozenset({A.PHONE, A.CORRECT, A.LISTEN_TO_MENTOR}),
    R.SUPERVISOR: frozenset(
        {A.SEE_FLOOR, A.LISTEN, A.COACH, A.JOIN, A.LEAD_FLOOR, A.CORRECT, A.SEE_RULES}
        | {A.SUPPRESS, A.LOOK_UP, A.SEE_REPORTS}
    ),
    R.ADMINISTRATOR: frozenset(
        {A.SEE_FLOOR, A.LEAD_FLOOR, A.CORRECT, A.SEE_RULES, A.CHANGE_RULES, A.IMPORT, A.EXPORT}
        | {A.ACCOUNTS, A.SUPPRESS, A.LIFT, A.LOOK_UP, A.SEE_AUDIT, A.SEE_REPORTS}
    ),
    R.LEADER: frozenset(
        {A.SEE_FLOOR, A.LISTEN, A.COACH, A.JOIN, A.LEAD_FLOOR, A.CORRECT, A.SEE_RULES}
        | {A.CHANGE_RULES, A.APPROVE_RULES, A.EXPORT, A.SUPPRESS, A.LIFT, A.LOOK_UP}
        | {A.SEE_AUDIT, A.SEE_REPORTS}
    ),
    R.MEMBER_SERVICE: frozenset({A.SUPPRESS, A.LOOK_UP}),
}

NEEDS_CODE = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.LEADER})
"""Roles that sign in with a one-time code besides the password."""


def may(role: str, action: Action, scopes: frozenset[Action] | None = None) -> bool:
    """Whether the role, through a token of these scopes (None: signed in), may do it."""
    return action in MAY.get(Role(role), frozenset()) and (scopes is None or action in scopes)
