"""Which columns of yes and no are asked about: all whose heading may be about calls."""

import pytest

from callserver.domain.flag_headings import may_be_a_flag


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        *((heading, True) for heading in ("", "--", "OK", "Kode X", "Flag 7", "Samtykke")),
        *((heading, True) for heading in ("Aktiv kode", "Ja/nej", "aktivt medlem 2024")),
        *((heading, False) for heading in ("Aktiv", "Er medlem", "2024", "Medlem 2024", "Har bil")),
        # About another channel, unless it is about calls as well.
        *((heading, False) for heading in ("Mail", "SMS", "Ikke sms", "Nyhedsbrev")),
        *((heading, True) for heading in ("Nyhedsbrev og opkald", "Ring via mail")),
    ],
)
def test_a_heading_that_may_be_about_calls(heading: str, *, expected: bool) -> None:
    assert may_be_a_flag(heading) == expected
