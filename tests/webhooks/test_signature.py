"""Twilio's signatures: the known ones, and agreement with Twilio's own validator on anything."""

import contextlib
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from webhooks import signature

TOKEN = "12345"
P = {
    "CallSid": ["CA1234567890ABCDE"],
    "Caller": ["+14158675309"],
    "Digits": ["1234"],
    "From": ["+14158675309"],
    "To": ["+18005551212"],
}
OTHER = {**P, "Caller": ["+14158675310"], "From": ["+14158675310"]}
HOST = "mycompany.com/myapp.php?foo=1&bar=2"
U = f"https://{HOST}"
FORMS = [
    ("base", U, P, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    (
        "https port dropped",
        "https://mycompany.com:1234/myapp.php?foo=1&bar=2",
        P,
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    ),
    (
        "http port kept",
        "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
        P,
        "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
    ),
    ("https signed with 443", U, P, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http signed with 80", f"http://{HOST}", P, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("userinfo", f"https://user:pass@{HOST}", P, "CukzLTc1tT5dXEDIHm/tKBanW10="),
    ("user only", f"https://user@{HOST}", P, "2YRLlVAflCqxaNicjMpJcSTgzSs="),
    ("userinfo signed with 443", f"https://user:pass@{HOST}", P, "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="),
    ("special characters", f"{U}&Body=It's+amazing", P, "dsq4Ehbj6cs+KdTkpF5sSSplOWw="),
    (
        "array",
        U,
        {"MessagingBinding.Address": ["+1415xxxxxxx", "+1325xxxxxxx"]},
        "83O6e2vORAoJHUNzJjDWN1jz+BA=",
    ),
    (
        "duplicates",
        U,
        {"Sid": ["CA123"], "SidAccount": ["AC123"], "Digits": ["5678", "1234", "1234"]},
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    (
        "documented",
        "https://example.com/myapp.php?foo=1&bar=2",
        OTHER,
        "L/OH5YylLD5NRKLltdqwSvS0BnU=",
    ),
]


@pytest.mark.parametrize(("what", "url", "form", "signed"), FORMS, ids=[form[0] for form in FORMS])
def test_known_signatures(what: str, url: str, form: signature.Form, signed: str) -> None:
    assert signature.valid(TOKEN, url, form, signed)
    assert not signature.valid(TOKEN + "x", url, form, signed)
    assert not signature.valid(TOKEN, url + "x", form, signed)
    assert not signature.valid(TOKEN, url, {**form, "Extra": [""]}, signed)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
VALUES = st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=1, max_size=3)
PORTS = st.sampled_from(["", ":443", ":80", ":8443"])


@given(
    st.dictionaries(NAMES, VALUES, max_size=6),
    st.sampled_from(["http", "https"]),
    PORTS,
    st.sampled_from(["", "?a=1", "?a=%20&b="]),
)
def test_agrees_with_twilios_own(
    form: dict[str, list[str]], scheme: str, port: str, query: str
) -> None:
    url = f"{scheme}://calls.example.org{port}/twilio/status/call{query}"
    theirs = RequestValidator("secret")
    pairs = FormData([(name, value) for name, values in form.items() for value in values])
    signed = theirs.compute_signature(url, pairs)
    assert signature.valid("secret", url, form, signed)
    other = theirs.compute_signature(url.replace("example.org:", "example.org:1"), pairs)
    assert signature.valid("secret", url, form, other) == theirs.validate(url, pairs, other)


FIELD = st.text("ab=+%C3æ &;/", max_size=8)


@given(st.binary(max_size=40) | st.lists(FIELD).map(lambda pairs: "&".join(pairs).encode()))
@example(b"a=1&&b=2")
@example(b"a=1&b")
@example(b"a=%E6&a=%C3%A6&a=")
@example(b"&".join([b"a=1"] * 200))
@example(b"&".join([b"a=1"] * 201))
def test_a_form_is_read_as_the_standard_library_reads_it(body: bytes) -> None:
    def read() -> dict[str, list[str]] | None:
        with contextlib.suppress(ValueError):
            return signature.parse(body)
        return None

    def known() -> dict[str, list[str]] | None:
        with contextlib.suppress(ValueError):
            return parse_qs(
                body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=200
            )
        return None

    assert read() == known()
