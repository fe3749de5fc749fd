"""Which passwords may be chosen."""

import pytest

from callserver.engine.accounts import password_rules
from callserver.engine.accounts.authentication import NOBODY
from callserver.engine.accounts.password_hashing import hasher  # production's, at import time
from callserver.errors import Impossible

GOOD = (
    "another bicycle, a red one",
    "tre grønne æbler i en kurv",
    "kX9-mmpq-2vTz",
    "Vinterhave 1864 ved åen",
)
BAD = (
    *(
        "callserver1234",
        "CallServer-1234",
        "callservercallserver",
        "phoner123456",
        "supervisor!2026",
    ),
    *(
        "password1234",
        "adgangskode123",
        "administrator1",
        "qwertyuiop123",
        "correcthorsebatterystaple",
    ),
    *("123456789012", "abcdefghijklm", "aaaaaaaaaaaa", "abcabcabcabc", "short", "x" * 129),
    *("maja maja maja", "majaprøve2026", "callserver-maja-1"),
)


@pytest.mark.parametrize("password", GOOD)
def test_long_ones_of_ones_own_may_be(password: str) -> None:
    password_rules.check(password, "maja", "Maja Prøve")


@pytest.mark.parametrize("password", BAD)
def test_what_is_guessed_first_may_not(password: str) -> None:
    with pytest.raises(Impossible):
        password_rules.check(password, "maja", "Maja Prøve")


def test_the_list_holds_only_what_the_length_does_not_refuse_already() -> None:
    assert len(password_rules.common()) > 50
    assert all(password == password.lower() for password in password_rules.common())


def test_an_unknown_name_costs_the_same_time_as_a_known_one() -> None:
    assert not hasher.check_needs_rehash(NOBODY)
