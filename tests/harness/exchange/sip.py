"""A small SIP telephone over UDP: signs in, answers, calls, speaks, presses keys, hangs up, dies."""

import asyncio
import hashlib
import re
import secrets
import struct
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

RESEND_S = 5
"""A request that got no answer by then is sent again: UDP may lose it."""

SILENCE = b"\xd5" * 160
"""20 ms of A-law silence."""

Address = tuple[str, int]


@dataclass
class Message:
    first: str
    headers: list[tuple[str, str]]
    body: str = ""

    def __getitem__(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name.lower())

    def every(self, name: str) -> list[tuple[str, str]]:
        return [(key, value) for key, value in self.headers if key.lower() == name.lower()]

    @property
    def status(self) -> int:
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        return self["CSeq"].split()[1]

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        head, _, body = data.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = [line.split(":", 1) for line in lines]
        return cls(first, [(key.strip(), value.strip()) for key, value in pairs], body)

    def encode(self) -> bytes:
        lines = [self.first, *(f"{key}: {value}" for key, value in self.headers)]
        lines += [f"Content-Length: {len(self.body)}", "", self.body]
        return "\r\n".join(lines).encode()


class Packet(NamedTuple):
    """One packet of sound that was heard."""

    at: float  # the loop's time
    sequence: int
    stamp: int  # in samples, 8000 a second
    source: int
    sound: bytes


@dataclass
class Talk:
    """One call: its dialog, its sound."""

    call_id: str
    local: str  # our From/To value, with its tag
    remote: str
    target: str  # the far end's Contact
    invite: Message | None = None  # the far end's, while we are called
    media: Address | None = None
    answered: bool = False
    status: int = 0  # the last response to a call of its own
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cseq: int = 1
    sent: int = 0
    heard: list[Packet] = field(default_factory=list)
    answered_at: float = 0

    def loud(self, since: float = 0) -> int:
        """Packets that were not silence."""
        return sum(packet.at >= since and len(set(packet.sound)) > 8 for packet in self.heard)


class Telephone(asyncio.DatagramProtocol):
    """`answers_after`: seconds; None: it only rings. Sound goes out as long as it lives."""

    by = "UDP"

    def __init__(self, name: str, server: Address, *, answers_after: float | None = 0.1) -> None:
        self.name = name
        self.server = server
        self.answers_after = answers_after
        self.talks: dict[str, Talk] = {}
        self._password = ""
        self.alive = False
        self.rang = asyncio.Event()
        self.speaks: Callable[[int], bytes] = lambda _: SILENCE
        self._waiting: dict[tuple[str, str], asyncio.Future[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life ---------------------------------------------------------------------------------

    async def open(self, port: int = 0, host: str = "127.0.0.1") -> "Telephone":
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self._rtp, _ = await loop.create_datagram_endpoint(
            lambda: _Sound(self), local_addr=(host, 0)
        )
        self.address: Address = self._sip.get_extra_info("sockname")[:2]
        self._sound: Address = self._rtp.get_extra_info("sockname")[:2]
        self.alive = True
        self._start(self._speak())
        return self

    def die(self) -> None:
        """Gone without a word, as when the power is cut."""
        self.alive = False
        for task in self._tasks:
            task.cancel()
        self._sip.close()
        self._rtp.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def talk(self) -> Talk | None:
        """The call in hand."""
        return next((talk for talk in self.talks.values() if not talk.ended.is_set()), None)

    # -- what a person does -------------------------------------------------------------------

    async def register(self, password: str, realm: str = "callserver") -> int:
        """Sign in; the last answer's status."""
        headers = [("Contact", f"<sip:{self.name}@{self.address[0]}:{self.address[1]}>")]
        uri = f"sip:{self.server[0]}:{self.server[1]}"
        call_id = secrets.token_hex(8)
        reply = await self._ask("REGISTER", uri, call_id, 1, headers)
        if reply.status == 401:
            challenge = _challenge(reply)
            self._password = password
            word = self._digest("REGISTER", uri, realm, challenge)
            headers.append(("Authorization", word))
            reply = await self._ask("REGISTER", uri, call_id, 2, headers)
        return reply.status

    def _digest(self, method: str, uri: str, realm: str, challenge: Mapping[str, str]) -> str:
        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        own, nonce = secrets.token_hex(8), challenge["nonce"]
        what = md5(f"{method}:{uri}")
        who = md5(f"{self.name}:{realm}:{self._password}")
        proof = md5(f"{who}:{nonce}:00000001:{own}:auth:{what}")
        return (
            f'Digest username="{self.name}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
            f'response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{own}"'
        )

    async def call(self, number: str) -> Talk:
        """Call a number; returns once it was answered (or refused: the talk has ended)."""
        host, port = self.server
        uri = f"sip:{number}@{host}:{port}"
        local = f"<sip:{self.name}@{self.address[0]}>;tag={secrets.token_hex(4)}"
        talk = Talk(secrets.token_hex(8), local, f"<{uri}>", uri)
        self.talks[talk.call_id] = talk
        headers = [("Contact", f"<sip:{self.name}@{self.address[0]}:{self.address[1]}>")]
        reply = await self._ask("INVITE", uri, talk.call_id, 1, headers, talk, self._offer())
        if reply.status == 401 and self._password:
            self._send(self._request("ACK", uri, talk.call_id, 1, [], talk))
            word = self._digest("INVITE", uri, "callserver", _challenge(reply))
            talk.cseq = 2
            headers.append(("Authorization", word))
            reply = await self._ask("INVITE", uri, talk.call_id, 2, headers, talk, self._offer())
        talk.status = reply.status
        if reply.status >= 300:
            talk.ended.set()
            return talk
        talk.remote, talk.target = reply["To"], uri_of(reply["Contact"])
        talk.media, talk.answered = media_of(reply.body), True
        self._send(self._request("ACK", talk.target, talk.call_id, talk.cseq, [], talk))
        return talk

    async def hang_up(self, talk: Talk) -> None:
        talk.cseq += 1
        talk.ended.set()
        await self._ask("BYE", talk.target, talk.call_id, talk.cseq, [], talk)

    def press(self, talk: Talk, key: str) -> None:
        """One key, as telephones send it in the sound's stream (RFC 4733)."""
        event = "0123456789*#".index(key)
        for step in range(8):
            end = 0x80 if step >= 5 else 0
            data = struct.pack("!BBH", event, end | 10, 160 * (min(step, 5) + 1))
            self._packet(talk, 101, data, marked=step == 0, steps=0)

    # -- sound --------------------------------------------------------------------------------

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        count = 0
        while True:
            for talk in self.talks.values():
                if talk.answered and not talk.ended.is_set() and talk.media is not None:
                    self._packet(talk, 8, self.speaks(count))
            count += 1
            next_at += 0.02
            await asyncio.sleep(max(0, next_at - loop.time()))

    def _packet(
        self, talk: Talk, kind: int, data: bytes, *, marked: bool = False, steps: int = 1
    ) -> None:
        talk.sent += 1
        head = struct.pack(
            "!BBHII",
            0x80,
            kind | (0x80 if marked else 0),
            talk.sent & 0xFFFF,
            (talk.sent * 160 if steps else talk.sent // 8 * 1280) & 0xFFFFFFFF,
            0x1234,
        )
        self._rtp.sendto(head + data, talk.media)

    def heard(self, data: bytes, at: float, sender: Address) -> None:
        del sender
        talk = self.talk
        if talk is not None and len(data) > 12:
            sequence, stamp, source = struct.unpack("!HII", data[2:12])
            talk.heard.append(Packet(at, sequence, stamp, source, data[12:]))

    # -- SIP ----------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Address) -> None:
        del addr
        if not data.strip():
            return
        message = Message.parse(data)
        if message.status:
            waiting = self._waiting.get((message["Call-ID"], message["CSeq"]))
            if message.status >= 200 and waiting is not None and not waiting.done():
                waiting.set_result(message)
            return
        self._asked(message)

    def _asked(self, request: Message) -> None:
        talk = self.talks.get(request["Call-ID"])
        match request.method:
            case "INVITE" if talk is None:
                self._called(request)
            case "INVITE":
                self._reply(request, 200, body=self._offer())
            case "CANCEL":
                self._reply(request, 200)
                if talk is not None and talk.invite is not None and not talk.answered:
                    self._reply(talk.invite, 487)
                    talk.ended.set()
            case "BYE":
                self._reply(request, 200)
                if talk is not None:
                    talk.ended.set()
            case "ACK":
                pass
            case _:
                self._reply(request, 200)

    def _called(self, invite: Message) -> None:
        tag = f";tag={secrets.token_hex(4)}"
        talk = Talk(
            invite["Call-ID"],
            invite["To"] + tag,
            invite["From"],
            uri_of(invite["Contact"]),
            invite,
            media_of(invite.body),
        )
        self.talks[talk.call_id] = talk
        self._reply(invite, 180)
        self.rang.set()
        if self.answers_after is not None:
            self._start(self._answer(talk, self.answers_after))

    async def _answer(self, talk: Talk, after: float) -> None:
        await asyncio.sleep(after)
        if talk.invite is not None and not talk.ended.is_set():
            talk.answered = True
            talk.answered_at = asyncio.get_running_loop().time()
            self._reply(talk.invite, 200, body=self._offer())

    def _offer(self) -> str:
        host, port = self._sound
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
        )

    def _reply(self, request: Message, status: int, body: str = "") -> None:
        talk = self.talks.get(request["Call-ID"])
        to = request["To"] if talk is None or "tag=" in request["To"] else talk.local
        headers = [*request.every("Via"), ("From", request["From"]), ("To", to)]
        headers += [("Call-ID", request["Call-ID"]), ("CSeq", request["CSeq"])]
        headers += [("Contact", f"<sip:{self.name}@{self.address[0]}:{self.address[1]}>")]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        self._send(Message(f"SIP/2.0 {status} x", headers, body))

    def _request(
        self,
        method: str,
        uri: str,
        call_id: str,
        cseq: int,
        headers: list[tuple[str, str]],
        talk: Talk | None = None,
        body: str = "",
    ) -> Message:
        me = f"<sip:{self.name}@{self.server[0]}>"
        host, port = self.address
        fixed = [
            ("Via", f"SIP/2.0/{self.by} {host}:{port};rport;branch=z9hG4bK{secrets.token_hex(6)}"),
            ("Max-Forwards", "70"),
            ("From", talk.local if talk else f"{me};tag=r"),
            ("To", talk.remote if talk else me),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
        ]
        if body:
            headers = [*headers, ("Content-Type", "application/sdp")]
        return Message(f"{method} {uri} SIP/2.0", [*fixed, *headers], body)

    async def _ask(
        self,
        method: str,
        uri: str,
        call_id: str,
        cseq: int,
        headers: list[tuple[str, str]],
        talk: Talk | None = None,
        body: str = "",
    ) -> Message:
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[(call_id, f"{cseq} {method}")] = waiting
        message = self._request(method, uri, call_id, cseq, headers, talk, body)
        for _ in range(12):
            self._send(message)
            try:
                return await asyncio.wait_for(asyncio.shield(waiting), RESEND_S)
            except TimeoutError:
                continue
        raise AssertionError(f"{method} was not answered")

    def _send(self, message: Message) -> None:
        self._sip.sendto(message.encode(), self.server)


class Mute(Telephone):
    """Sends no packet of sound, ever."""

    async def _speak(self) -> None:
        pass


class _Sound(asyncio.DatagramProtocol):
    def __init__(self, telephone: Telephone) -> None:
        self._telephone = telephone

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._telephone.heard(data, asyncio.get_running_loop().time(), addr)


def uri_of(contact: str) -> str:
    match = re.search(r"<([^>]+)>", contact)
    return match[1] if match else contact


def media_of(body: str) -> Address | None:
    host, port = re.search(r"c=IN IP4 (\S+)", body), re.search(r"m=audio (\d+)", body)
    return (host[1], int(port[1])) if host and port else None


def _challenge(reply: Message) -> Mapping[str, str]:
    return dict(re.findall(r'(\w+)="?([^",]+)"?', reply["WWW-Authenticate"]))
