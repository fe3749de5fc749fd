"""Who may do what, action by action."""

import pytest

from callserver.domain.role import (
    CONFIRMED,
    CONFIRMS,
    MAY,
    NEEDS_CODE,
    Action,
    Role,
    may,
    may_confirm,
)

PHONER, SUPERVISOR, LEADER = Role.PHONER, Role.SUPERVISOR, Role.LEADER
ADMINISTRATOR, MEMBER_SERVICE = Role.ADMINISTRATOR, Role.MEMBER_SERVICE
FLOOR = {SUPERVISOR, ADMINISTRATOR, LEADER}
PERSON = {ADMINISTRATOR, LEADER, MEMBER_SERVICE}
"""Who answers a called person about their data."""

WHO: dict[Action, set[Role]] = {
    Action.PHONE: {PHONER},
    Action.ANSWER_SURVEY: {PHONER},
    Action.ASK_SUPPORT: {PHONER},
    Action.LISTEN_TO_MENTOR: {PHONER},
    Action.LISTEN: {SUPERVISOR, LEADER},
    Action.COACH: {SUPERVISOR, LEADER},
    Action.JOIN: {SUPERVISOR, LEADER},
    Action.GIVE_SUPPORT: {SUPERVISOR},
    Action.HIRE: {SUPERVISOR, ADMINISTRATOR},
    Action.WRITE_NOTICES: {SUPERVISOR, LEADER},
    Action.CORRECT: {PHONER, *FLOOR},
    Action.SEE_FLOOR: FLOOR,
    Action.LEAD_FLOOR: FLOOR,
    Action.SEE_RULES: FLOOR,
    Action.SEE_REPORTS: FLOOR,
    Action.CHANGE_RULES: {ADMINISTRATOR, LEADER},
    Action.APPROVE_RULES: {LEADER},
    Action.LEAD_SURVEY: {LEADER},
    Action.IMPORT: {ADMINISTRATOR},
    Action.ACCOUNTS: {ADMINISTRATOR},
    Action.EXPORT: {ADMINISTRATOR, LEADER},
    Action.SEE_AUDIT: {ADMINISTRATOR, LEADER},
    Action.LIFT: {ADMINISTRATOR, LEADER},
    Action.SUPPRESS: {*FLOOR, MEMBER_SERVICE},
    Action.LOOK_UP: {*FLOOR, MEMBER_SERVICE},
    Action.SEE_CASES: {*FLOOR, MEMBER_SERVICE},
    Action.HANDLE_CASES: PERSON,
    Action.UNDO_MARK: PERSON,
    Action.HAND_OUT: PERSON,
    Action.DECIDE_IDENTITY: PERSON,
    Action.DECIDE_REGISTER: {LEADER, MEMBER_SERVICE},
}


@pytest.mark.parametrize("action", Action)
def test_who_may(action: Action) -> None:
    assert {role for role in Role if may(role, action)} == WHO[action]


def test_a_token_permits_no_more_than_its_role_and_its_scopes() -> None:
    for role in Role:
        for action in Action:
            assert may(role, action, frozenset({action})) == (action in MAY[role])
            assert not may(role, action, frozenset(Action) - {action})


def test_an_unknown_role_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody"):
        may("nobody", Action.LISTEN)


def test_who_sees_personal_data_of_many_has_a_second_factor_or_a_second_person() -> None:
    assert {SUPERVISOR, ADMINISTRATOR, LEADER} == NEEDS_CODE
    assert {SUPERVISOR, ADMINISTRATOR, MEMBER_SERVICE} == CONFIRMED
    assert set(Role) - {PHONER} == CONFIRMS


@pytest.mark.parametrize(
    ("who", "whom", "expected"),
    [
        ((LEADER, None), (SUPERVISOR, "nord"), True),
        ((LEADER, "nord"), (ADMINISTRATOR, "nord"), True),
        ((LEADER, "syd"), (ADMINISTRATOR, "nord"), False),
        ((SUPERVISOR, "nord"), (SUPERVISOR, "nord"), True),
        ((SUPERVISOR, "syd"), (SUPERVISOR, "nord"), False),
        ((SUPERVISOR, None), (SUPERVISOR, "nord"), True),
        ((SUPERVISOR, "nord"), (SUPERVISOR, None), False),
        ((ADMINISTRATOR, None), (SUPERVISOR, None), False),
        ((SUPERVISOR, None), (ADMINISTRATOR, None), False),
        ((PHONER, None), (SUPERVISOR, None), False),
    ],
)
def test_a_colleague_or_the_project_leader_confirms(
    who: tuple[Role, str | None], whom: tuple[Role, str | None], expected: bool
) -> None:
    assert may_confirm(*who, *whom) == expected
