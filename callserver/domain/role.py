"""Who may do what: the one table of roles and actions.

Every address of the console names its action; a test requests each with every role and with none. A
department is a data boundary: a user of a department sees and changes only that department's data.
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
    """What a user may be permitted to do; also the scopes of a bearer token."""

    PHONE = "phone"  # a shift: ready, pause, outcomes, wishes, manual dials
    SEE_FLOOR = "see_floor"
    LISTEN = "listen"
    COACH = "coach"  # heard by the phoner only
    JOIN = "join"  # heard by everybody in the call
    LISTEN_TO_MENTOR = "listen_to_mentor"  # a trainee to their own mentor
    LEAD_FLOOR = "lead_floor"  # pause campaigns, end shifts, answer raised hands
    CORRECT = "correct"  # replace an outcome; phoners their own only
    SEE_RULES = "see_rules"
    CHANGE_RULES = "change_rules"  # propose; a change that is not looser takes effect at once
    APPROVE_RULES = "approve_rules"  # as the second person for a looser rule
    IMPORT = "import"
    EXPORT = "export"
    ACCOUNTS = "accounts"
    SUPPRESS = "suppress"
    LIFT = "lift"  # end a suppression
    DECIDE_REGISTER = "decide_register"  # whether a person is on a register of names and addresses
    LOOK_UP = "look_up"  # look up a number or a person: who called, why, and what is known
    DECIDE_IDENTITY = "decide_identity"  # whether two contacts are one person, or two
    UNDO_MARK = "undo_mark"  # a mark that was recorded by mistake counts no longer
    HAND_OUT = "hand_out"  # a person's data to the person, opt-outs to the members' system
    SEE_AUDIT = "see_audit"
    SEE_REPORTS = "see_reports"
    SEE_CASES = "see_cases"  # requests and complaints
    HANDLE_CASES = "handle_cases"  # open, hand over and answer them
    HIRE = "hire"  # interview applicants of the department, accept and reject them
    ANSWER_SURVEY = "answer_survey"
    WRITE_NOTICES = "write_notices"  # the case of the month, talks; read the questions to experts
    ASK_SUPPORT = "ask_support"  # write to the supervisors, report harassment, book a conversation
    GIVE_SUPPORT = "give_support"  # answer, offer conversations, see who needs one
    LEAD_SURVEY = "lead_survey"  # decide which answers in words all may read; write down decisions


R, A = Role, Action

MAY: Mapping[Role, frozenset[Action]] = {
    R.PHONER: frozenset({A.PHONE, A.CORRECT, A.LISTEN_TO_MENTOR, A.ANSWER_SURVEY, A.ASK_SUPPORT}),
    R.SUPERVISOR: frozenset(
        {A.SEE_FLOOR, A.LISTEN, A.COACH, A.JOIN, A.LEAD_FLOOR, A.CORRECT, A.SEE_RULES}
        | {A.SUPPRESS, A.LOOK_UP, A.SEE_REPORTS, A.SEE_CASES, A.HIRE, A.WRITE_NOTICES}
        | {A.GIVE_SUPPORT}
    ),
    R.ADMINISTRATOR: frozenset(
        {A.SEE_FLOOR, A.LEAD_FLOOR, A.CORRECT, A.SEE_RULES, A.CHANGE_RULES, A.IMPORT, A.EXPORT}
        | {A.ACCOUNTS, A.SUPPRESS, A.LIFT, A.LOOK_UP, A.SEE_AUDIT, A.SEE_REPORTS}
        | {A.SEE_CASES, A.HANDLE_CASES, A.UNDO_MARK, A.HAND_OUT, A.DECIDE_IDENTITY, A.HIRE}
    ),
    R.LEADER: frozenset(
        {A.SEE_FLOOR, A.LISTEN, A.COACH, A.JOIN, A.LEAD_FLOOR, A.CORRECT, A.SEE_RULES}
        | {A.CHANGE_RULES, A.APPROVE_RULES, A.EXPORT, A.SUPPRESS, A.LIFT, A.LOOK_UP}
        | {A.SEE_AUDIT, A.SEE_REPORTS, A.SEE_CASES, A.HANDLE_CASES, A.DECIDE_REGISTER}
        | {A.UNDO_MARK, A.HAND_OUT, A.DECIDE_IDENTITY, A.LEAD_SURVEY, A.WRITE_NOTICES}
    ),
    R.MEMBER_SERVICE: frozenset(
        {A.SUPPRESS, A.LOOK_UP, A.SEE_CASES, A.HANDLE_CASES, A.DECIDE_REGISTER}
        | {A.UNDO_MARK, A.HAND_OUT, A.DECIDE_IDENTITY}
    ),
}

NEEDS_CODE = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.LEADER})
"""Roles that sign in with a one-time code in addition to the password."""

CONFIRMED = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.MEMBER_SERVICE})
"""Roles that an administrator gives, and a second person confirms before the account can be used."""

CONFIRMS = CONFIRMED | {Role.LEADER}
"""Roles that may confirm an account."""


def may_confirm(role: str, department: str | None, of_role: str, of_department: str | None) -> bool:
    """Whether somebody may confirm an account: the project leader, or a colleague with the same role."""
    return role in (Role.LEADER, of_role) and department in (None, of_department)


def may(role: str, action: Action, scopes: frozenset[Action] | None = None) -> bool:
    """Whether the role may perform the action, with a token of these scopes (None: signed in)."""
    return action in MAY.get(Role(role), frozenset()) and (scopes is None or action in scopes)
