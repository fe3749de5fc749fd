"""Runs SIPp, which plays every telephone behind an exchange's trunk with real SIP and real audio."""

import contextlib
import re
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

PROGRAM = "sipp"

SOUND_FROM, SOUND_PORTS = 30_000, 2_700

SILENCE = b"\xd5" * 8000
"""A second of A-law silence, for scenarios that send audio themselves: silence.alaw."""

_SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=called 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""


def _send(status: str, sdp: bool = False, own: bool = False) -> str:
    """One reply to the INVITE (with `own`: to the latest request)."""
    head = (
        "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
        if own
        else "[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]T[call_number]\n[last_Call-ID:]\n"
        "CSeq: [$turn] INVITE\nContact: <sip:[local_ip]:[local_port]>\n"
    )
    body = _SDP if sdp else "Content-Length: 0\n\n"
    again = ' retrans="500"' if status.startswith("200") and sdp else ""
    return f"<send{again}><![CDATA[\nSIP/2.0 {status}\n{head}{body}]]></send>"


_BYE = """<send retrans="500"><![CDATA[
BYE [$contact] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:called@[local_ip]:[local_port]>;tag=[pid]T[call_number]
To:[$caller]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>"""


def expanded(file: Path) -> str:
    """A scenario with its macros expanded: RINGING, TRYING, EARLY, OK, TERMINATED, DONE, BYE, REFUSE n."""
    text = file.read_text("utf-8")
    macros = {
        "RINGING": _send("180 Ringing"),
        "TRYING": _send("100 Trying"),
        "EARLY": _send("183 Session Progress", sdp=True),
        "OK": _send("200 OK", sdp=True),
        "TERMINATED": _send("487 Request Terminated"),
        "DONE": _send("200 OK", own=True),
        "BYE": _BYE,
    }
    for macro, message in macros.items():
        text = text.replace(f"\n  {macro}\n", f"\n{message}\n")
    return re.sub(r"^  REFUSE (\d+)$", lambda m: _send(f"{m[1]} No"), text, flags=re.MULTILINE)


class Sipp:
    """One SIPp process on loopback. `echoes`: it sends the audio that it receives back; two such
    processes must not be connected to each other."""

    def __init__(self, folder: Path, scenario: Path, port: int, *, echoes: bool) -> None:
        self._folder = folder
        self._scenario = scenario
        self.port = port
        self._echoes = echoes
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        file = self._folder / self._scenario.name
        file.write_text(expanded(self._scenario), "utf-8")
        silence = self._folder / "silence.alaw"
        if not silence.exists():
            silence.write_bytes(SILENCE)
        with (self._folder / "sipp.log").open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - fixed arguments
                [
                    *(shutil.which(PROGRAM) or PROGRAM, "-sf", file.absolute()),
                    *("-i", "127.0.0.1", "-p", str(self.port), "-mp", str(_free_audio_port())),
                    *("-aa", "-nostdin", *(("-rtp_echo",) if self._echoes else ())),
                    *("-trace_msg", "-message_file", (self._folder / "sip.log").absolute()),
                    *("-trace_err", "-error_file", (self._folder / "sipp.err").absolute()),
                ],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
            )

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        """Every message since the start, as SIPp logged it."""
        file = self._folder / "sip.log"
        return file.read_text("latin-1") if file.exists() else ""

    def called_numbers(self) -> dict[str, str]:
        """Every number that was called since the start, by SIP Call-ID, in order."""
        numbers: dict[str, str] = {}
        for message in re.split(r"^-{20,}.*$", self.log(), flags=re.MULTILINE):
            if invite := re.search(r"^INVITE sip:(\+\d+)@", message, re.MULTILINE):
                call_id = re.search(r"^Call-ID: (\S+)", message, re.MULTILINE)
                numbers.setdefault(call_id[1] if call_id else str(len(numbers)), invite[1])
        return numbers


def _free_audio_port() -> int:
    """A free port for audio, with the three after it: SIPp ends when its port is in use. The range lies
    above the exchange's ports and below the ephemeral ones."""
    while True:
        port = SOUND_FROM + 4 * secrets.randbelow(SOUND_PORTS // 4)
        with contextlib.suppress(OSError), contextlib.ExitStack() as sockets:
            for offset in range(4):
                probe = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                probe.bind(("127.0.0.1", port + offset))
            return port
