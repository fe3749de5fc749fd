"""What is written for Asterisk, and what its names can never be: closed, secure, without surprises."""

import re
import shutil
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.adapters.asterisk import channel_names, config_files, prompts
from callserver.adapters.asterisk.causes import end
from callserver.adapters.asterisk.softphones import objects
from callserver.adapters.asterisk.speech import CAMPAIGN_PROMPTS, GENERAL_PROMPTS
from callserver.adapters.config_folder import load
from callserver.database.softphones import Softphone
from callserver.domain import phone
from callserver.domain.call import Report
from callserver.errors import ConfigurationProblem
from callserver.ports import Trouble
from callserver.settings import Settings

ROOT = Path(__file__).parents[2]
SHOWN = ("+4532123400", "+4632123401")
SETTINGS = Settings(
    provider="asterisk",
    public_url="https://calls.example.org",
    asterisk_password="word",
    asterisk_trunk="sip:192.0.2.7",
    asterisk_certificate="/etc/asterisk/keys/cert.pem",
    asterisk_certificate_key="/etc/asterisk/keys/key.pem",
)


def rendered(**settings: Any) -> Mapping[str, str]:
    return config_files.render(SETTINGS.model_copy(update=settings), SHOWN)


def test_secure_unless_it_is_this_machine_alone() -> None:
    pjsip = rendered()["pjsip.conf"]
    assert "protocol = tls" in pjsip
    assert "protocol = udp" not in pjsip
    assert "media_encryption = sdes" in pjsip
    assert "contact = sip:192.0.2.7\\;transport=tls" in pjsip
    with pytest.raises(ConfigurationProblem, match="ASTERISK_BIND"):
        rendered(asterisk_secure=False)
    local = rendered(asterisk_secure=False, asterisk_bind="127.0.0.1")["pjsip.conf"]
    assert "bind = 127.0.0.1:5061" in local


def test_a_carrier_without_tls_is_said_so_explicitly() -> None:
    pjsip = rendered(asterisk_trunk="sip:192.0.2.7:5060;transport=udp")["pjsip.conf"]
    assert "protocol = udp" in pjsip
    assert "protocol = tls" in pjsip  # telephones still come by TLS
    assert "media_encryption = no" in pjsip


def test_who_may_come_is_named() -> None:
    pjsip = rendered(asterisk_networks="10.1.0.0/16, 192.0.2.128/25")["pjsip.conf"]
    allowed = re.findall(r"^permit = (.+)$", pjsip, re.MULTILINE)
    assert allowed == ["127.0.0.0/8", "10.1.0.0/16", "192.0.2.128/25", "192.0.2.7/32"]
    assert "deny = 0.0.0.0/0" in pjsip
    for telephones in ("", "10.1.0.0/16"):  # they are not the carrier's
        with pytest.raises(ConfigurationProblem, match="ASTERISK_TRUNK_NETWORKS"):
            rendered(asterisk_trunk="sip:sip.example.dk", asterisk_networks=telephones)
    named = rendered(
        asterisk_trunk="sip:sip.example.dk", asterisk_trunk_networks="198.51.100.0/24, 192.0.2.9"
    )["pjsip.conf"]
    assert "match = sip.example.dk,198.51.100.0/24,192.0.2.9/32" in named
    assert "permit = 198.51.100.0/24" in named


def values(text: str, name: str, kind: str) -> dict[str, str]:
    """One section's values."""
    section = re.search(rf"^\[{name}\]\ntype = {kind}\n((?:.+\n?)*)", text, re.MULTILINE)
    assert section, (name, kind)
    return dict(line.split(" = ", 1) for line in section[1].splitlines())


def test_a_registration_names_its_contact_and_never_gives_up() -> None:
    files = rendered(asterisk_trunk_user="house", asterisk_trunk_password="secret")
    registers = values(files["pjsip.conf"], "trunk", "registration")
    assert registers["contact_user"] == "house"
    assert registers["auth_rejection_permanent"] == "no"
    assert int(registers["max_retries"]) >= 100_000
    assert int(registers["forbidden_retry_interval"]) > 0
    assert "exten = house,1,Stasis(callserver,inbound)" in files["extensions.conf"]
    assert "Stasis(callserver,inbound)\n" not in rendered()["extensions.conf"]
    number = rendered(asterisk_trunk_user="32123400", asterisk_trunk_password="secret")
    assert number["extensions.conf"].count("exten = 32123400,") == 1
    odd = rendered(asterisk_trunk_user="_X.", asterisk_trunk_password="secret")
    assert "exten = callserver,1," in odd["extensions.conf"]
    assert "_X" not in odd["extensions.conf"]


@pytest.mark.parametrize(
    ("header", "called"),
    [
        ("<sip:+4532123400@192.0.2.7>", "+4532123400"),
        ('"House" <sip:4532123400@x;user=phone>;tag=1', "+4532123400"),
        ("<sip:004532123400@x>", "+4532123400"),
        ("<sips:32123400@x>", "+4532123400"),
        ("<tel:+4632123401>", "+4632123401"),
        ("<sip:house@192.0.2.7>", None),
        ("<sip:32123499@192.0.2.7>", None),
        ("<sip:1@32123400>", None),
        ("", None),
    ],
)
def test_a_called_number_is_one_that_we_show(header: str, called: str | None) -> None:
    assert channel_names.own_number_in(header, SHOWN) == called


@pytest.mark.parametrize("number", ["+4532200100", "+4790123456", "+46701234567"])
@pytest.mark.parametrize("how", channel_names.FORMATS)
def test_a_callers_number_is_read_however_the_carrier_writes_it(how: str, number: str) -> None:
    written = channel_names.written(number, how)
    assert phone.parse(channel_names.callers_number(written)) == number


@pytest.mark.parametrize(
    ("how", "dialed"),
    [
        ("+45", "+4532200100"),
        ("45", "4532200100"),
        ("0045", "004532200100"),
        ("national", "32200100"),
    ],
)
def test_numbers_are_written_as_the_carrier_wants_them(how: str, dialed: str) -> None:
    assert channel_names.by_trunk("+4532200100", how) == f"PJSIP/{dialed}@trunk"
    assert channel_names.by_trunk("32200100", how) is None


def test_the_trunk_is_as_configured() -> None:
    plain = rendered()["pjsip.conf"]
    assert values(plain, "trunk", "endpoint")["allow"] == "alaw,ulaw"
    assert values(plain, "secure", "transport")["verify_server"] == "yes"
    files = rendered(
        asterisk_trunk="sip:192.0.2.7",
        asterisk_trunk_second="sip:192.0.2.8:5071",
        asterisk_trunk_proxy="sip:192.0.2.9",
        asterisk_trunk_from_user="32123400",
        asterisk_trunk_from_domain="sip.example.dk",
        asterisk_trunk_options_seconds=0,
        asterisk_trunk_session_timers="required",
        asterisk_trunk_rtp_timeout_seconds=30,
        asterisk_trunk_rtp_keepalive_seconds=20,
        asterisk_trunk_ca="/etc/asterisk/keys/carrier.pem",
        asterisk_dtmf="info",
        asterisk_codecs="g722,alaw",
        asterisk_trunk_user="house",
        asterisk_trunk_password="secret",
    )["pjsip.conf"]
    endpoint = values(files, "trunk", "endpoint")
    assert {
        "aors": "trunk,trunk-second",
        "outbound_proxy": r"sip:192.0.2.9\;transport=tls\;lr",
        "from_user": "32123400",
        "from_domain": "sip.example.dk",
        "allow": "g722,alaw",
        "dtmf_mode": "info",
        "timers": "required",
        "rtp_timeout": "30",
        "rtp_keepalive": "20",
    }.items() <= endpoint.items()
    assert values(files, "trunk", "aor")["qualify_frequency"] == "0"
    assert values(files, "trunk-second", "aor")["contact"] == r"sip:192.0.2.8:5071\;transport=tls"
    assert values(files, "trunk-second", "registration")["client_uri"] == "sip:house@sip.example.dk"
    assert values(files, "trunk", "identify")["match"] == "192.0.2.7,192.0.2.8,192.0.2.9"
    assert values(files, "secure", "transport")["ca_list_file"] == "/etc/asterisk/keys/carrier.pem"


def test_without_tls_the_plain_transport_is_the_carriers_alone() -> None:
    plain = rendered(asterisk_trunk="sip:192.0.2.7;transport=udp")["pjsip.conf"]
    order = values(plain, "global", "global")["endpoint_identifier_order"].split(",")
    assert order == ["ip", "header", "username"]
    assert values(plain, "plain-strangers", "endpoint")["deny"] == "0.0.0.0/0"
    assert "UDP" in values(plain, "plain-strangers", "identify")["match_header"]
    assert "plain-strangers" not in rendered()["pjsip.conf"]


def test_no_way_out_and_nobody_unknown() -> None:
    files = rendered()
    everything = "\n".join(files.values())
    assert "anonymous" not in everything
    assert "Dial(" not in everything
    assert "System(" not in everything
    ways_in, noting = files["extensions.conf"].split("[callserver-ended]")
    assert set(re.findall(r",1,(\w+)\(", ways_in)) == {"Stasis"}
    assert set(re.findall(r",(\w+)\(", noting)) == {"Set", "Return"}
    assert "callserver-ended" not in ways_in + files["pjsip.conf"], "nobody calls it"
    loaded = re.findall(r"load = (\S+)", files["modules.conf"])
    assert not [name for name in loaded if "manager" in name or "app_dial" in name]
    assert "res_ari_recordings.so" not in loaded
    assert "autoload = no" in files["modules.conf"]
    assert "bindaddr = 127.0.0.1" in files["http.conf"]
    assert "tlsenable" not in files["http.conf"]
    for name in ("cdr.conf", "cel.conf", "manager.conf"):
        assert re.search(r"enabled? = no", files[name])


def test_only_numbers_that_we_show_lead_in() -> None:
    written = re.findall(
        r"^exten = (\S+?),1,Stasis\(callserver,inbound,(\S+)\)",
        rendered()["extensions.conf"],
        re.MULTILINE,
    )
    assert dict(written) == {
        "+4532123400": "+4532123400",
        "4532123400": "+4532123400",
        "004532123400": "+4532123400",
        "32123400": "+4532123400",
        "+4632123401": "+4632123401",
        "4632123401": "+4632123401",
        "004632123401": "+4632123401",
    }


def test_a_remote_exchange_needs_tls() -> None:
    with pytest.raises(ConfigurationProblem, match="https"):
        rendered(asterisk_url="http://10.0.0.5:8088")
    http = rendered(asterisk_url="https://10.0.0.5:8089")["http.conf"]
    assert "tlsenable = yes" in http
    assert "bindaddr = 127.0.0.1" in http  # plain HTTP stays at home


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("asterisk_password", ""),
        ("asterisk_password", "a\n[evil]"),
        ("asterisk_password", "a;b"),
        ("asterisk_user", "a b"),
        ("asterisk_app", "x)\nexten = 1"),
        ("asterisk_trunk", ""),
        ("asterisk_trunk", "sip:192.0.2.7\n[evil]"),
        ("asterisk_trunk", "sip:192.0.2.7;transport=ws"),
        ("asterisk_bind", "everywhere"),
        ("asterisk_address", "home"),
        ("asterisk_networks", "10.0.0.0/33"),
        ("asterisk_rtp_ports", "20000-10000"),
        ("asterisk_rtp_ports", "all"),
        ("asterisk_url", "ftp://127.0.0.1"),
        ("asterisk_certificate", ""),
        ("asterisk_trunk_second", "sip:192.0.2.8;transport=udp"),
        ("asterisk_trunk_second", "nowhere at all"),
        ("asterisk_trunk_proxy", "sip:192.0.2.8:99999"),
        ("asterisk_trunk_networks", "192.0.2.300"),
        ("asterisk_trunk_numbers", "+46"),
        ("asterisk_trunk_from_user", "a b"),
        ("asterisk_trunk_from_domain", "x\ny"),
        ("asterisk_trunk_ca", "ca.pem"),
        ("asterisk_trunk_options_seconds", -1),
        ("asterisk_trunk_session_timers", "often"),
        ("asterisk_trunk_session_seconds", 10),
        ("asterisk_trunk_rtp_timeout_seconds", 1),
        ("asterisk_trunk_rtp_keepalive_seconds", 1000),
        ("asterisk_dtmf", "morse"),
        ("asterisk_codecs", "mp3"),
        ("asterisk_codecs", ""),
        ("asterisk_certificate_key", "key.pem"),
    ],
)
def test_a_setting_that_cannot_be_is_named(field: str, value: Any) -> None:
    with pytest.raises(ConfigurationProblem, match=field.upper()):
        rendered(**{field: value})


def test_a_telephone_is_closed_too() -> None:
    for name, media in (
        ("phoner_7", ("webrtc", "yes")),
        ("telephone_7", ("media_encryption", "sdes")),
    ):
        made = objects(SETTINGS, Softphone(name, 7, "d" * 32, None))
        assert list(made) == ["auth", "aor", "endpoint"]
        endpoint = made["endpoint"]
        assert endpoint["context"] == channel_names.TELEPHONES
        assert endpoint["auth"] == name
        assert endpoint["allow_transfer"] == "no"
        assert endpoint[media[0]] == media[1]
        assert made["aor"]["max_contacts"] == "1"
        assert "password" not in made["auth"]


SAFE = re.compile(r"PJSIP/(?:\+[1-9][0-9]{5,14}@trunk|(?:phoner|listener|telephone)_[0-9]+)")


@given(st.one_of(st.text(), st.from_regex(r"(client:|sip:|\+)[a-z0-9_@&/+]*")))
def test_whatever_a_line_says_it_reaches_only_ours(line: str) -> None:
    channel = channel_names.endpoint(line)
    assert channel is None or SAFE.fullmatch(channel)


@given(st.text())
def test_whatever_a_number_says_only_a_number_is_dialed(number: str) -> None:
    channel = channel_names.by_trunk(number)
    assert channel is None or SAFE.fullmatch(channel)


def test_names_are_told_apart() -> None:
    leg = channel_names.phoner_leg("seat-12-ab3")
    assert channel_names.seat_of_leg(leg) == 12
    assert channel_names.seat_of_leg("seat-12-ab3") is None
    assert channel_names.seat_of_room("seat-12-ab3") == 12
    assert channel_names.seat_of_room("apology") is None
    assert channel_names.is_attempt("8afec917a236b289bee8")
    for other in (leg, "1764082295.0", "", "a b"):
        assert not channel_names.is_attempt(other)


@pytest.mark.parametrize(
    ("cause", "answered", "rang", "told"),
    [
        (16, True, True, Report.HUNG_UP),
        (38, True, True, Report.HUNG_UP),
        (16, False, True, Report.CANCELLED),
        (17, False, False, Report.BUSY),
        (19, False, True, Report.NOT_ANSWERED),
        (19, False, False, Report.FAILED),
        (21, False, True, Report.NOT_ANSWERED),
        (1, False, False, Report.FAILED),
        (28, False, False, Report.FAILED),
        (34, False, False, Report.DECLINED),
        (38, False, False, Report.DECLINED),
        (38, False, True, Report.FAILED),
        (0, False, True, Report.FAILED),
    ],
)
def test_causes_as_measured(cause: int, answered: bool, rang: bool, told: Report) -> None:
    assert end(cause, None, answered=answered, rang=rang).report is told


@pytest.mark.parametrize(
    ("code", "told", "trouble"),
    [
        *((code, Report.DECLINED, Trouble.STOP) for code in (401, 402, 403, 407)),
        *((code, Report.DECLINED, Trouble.REFUSED) for code in (420, 483, 488, 500, 502, 503, 606)),
        *((code, Report.FAILED, None) for code in (404, 410, 480, 484, 604)),
    ],
)
def test_a_refusal_is_told_from_a_telephone_that_is_not_reached(
    code: int, told: Report, trouble: Trouble | None
) -> None:
    call_end = end(127, code, answered=False, rang=False)
    assert (call_end.report, call_end.code) == (told, code)
    assert (None if call_end.declined is None else call_end.declined.trouble) is trouble
    assert end(127, code, answered=False, rang=True).report is Report.FAILED
    assert end(16, code, answered=True, rang=True).report is Report.HUNG_UP


# -- prompts -----------------------------------------------------------------------------------

needs_a_voice = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in prompts.TOOLS),
    reason="espeak-ng or sox is missing",
)


def test_every_sentence_that_may_be_said_has_a_file() -> None:
    campaigns = load(ROOT / "config").campaigns
    sentences = {prompt.name: prompt.sentence for prompt in prompts.all_prompts(campaigns.values())}
    digits = 10
    every = len(CAMPAIGN_PROMPTS) * len(campaigns) + len(GENERAL_PROMPTS) + digits
    assert len(sentences) == every
    assert sentences["apology-kanvas"].startswith("Det er ")
    assert campaigns["kanvas"].organisation in sentences["inbound_who-kanvas"]
    # Why we call may tell others in the household that somebody is a member.
    said = " ".join(sentences.values())
    assert not any(campaign.why.da in said for campaign in campaigns.values())
    assert "{" not in "".join(sentences.values())
    assert all(re.fullmatch(r"[a-z0-9_-]+", name) for name in sentences)


@needs_a_voice
def test_prompts_are_made_once_and_again_when_the_text_changes(tmp_path: Path) -> None:
    hello = prompts.Prompt("hello", 'Goddag; $(touch /tmp/x) `id` "æøå"')
    assert list(prompts.make(tmp_path, [hello])) == [(hello, prompts.PromptResult.MADE)]
    with wave.open(str(tmp_path / "hello.wav")) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        assert sound.getnframes() > 8000
    first = (tmp_path / "hello.wav").read_bytes()
    assert list(prompts.make(tmp_path, [hello])) == [(hello, prompts.PromptResult.UNCHANGED)]
    changed = prompts.Prompt("hello", "Farvel og tak for i dag")
    assert list(prompts.make(tmp_path, [changed])) == [(changed, prompts.PromptResult.MADE)]
    assert (tmp_path / "hello.wav").read_bytes() != first


@needs_a_voice
def test_the_organisations_own_recording_is_never_overwritten(tmp_path: Path) -> None:
    hello = prompts.Prompt("hello", "Goddag")
    list(prompts.make(tmp_path, [hello]))
    (tmp_path / "hello.wav").write_bytes(b"our own voice")
    changed = prompts.Prompt("hello", "Farvel")
    other = prompts.Prompt("other", "Tak")
    (tmp_path / "other.sln").write_bytes(b"in another format")
    did = dict(prompts.make(tmp_path, [hello, changed, other]))
    assert set(did.values()) == {prompts.PromptResult.OWN}
    assert (tmp_path / "hello.wav").read_bytes() == b"our own voice"
    assert not (tmp_path / "other.wav").exists()


def test_without_a_voice_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationProblem, match="espeak-ng and sox"):
        list(prompts.make(tmp_path, []))
