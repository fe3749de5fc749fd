"""A small witness for published logs, for a second office or an auditor: `callserver witness`.

It keeps the last checkpoint that it signed for each log. That is durable before the signature leaves, and
one request at a time compares and replaces it: otherwise two requests could be signed for two logs.
"""

import fcntl
import os
import threading
from hashlib import sha256
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from callserver.domain import checkpoint, signed_note, witnessing
from callserver.domain.checkpoint import Checkpoint
from callserver.domain.signed_note import VerifierKey
from callserver.domain.witnessing import AddCheckpoint, Refused
from callserver.errors import ConfigurationProblem
from callserver.ports import Clock

log = structlog.get_logger(__name__)


def read_logs(path: Path) -> list[VerifierKey]:
    """The keys of the logs to witness: one a line, with comments after #.

    Raises:
        ConfigurationProblem: the file is missing, empty or unreadable; names the line.
    """
    if not path.is_file():
        raise ConfigurationProblem(f"there is no file {path} with the logs' keys")
    keys = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            keys.append(signed_note.parse_key(text))
        except ValueError as error:
            raise ConfigurationProblem(f"{path}:{number}: {error}") from None
        if keys[-1].algorithm != signed_note.ED25519:
            raise ConfigurationProblem(f"{path}:{number}: this is a witness's key, not a log's")
    if not keys:
        raise ConfigurationProblem(f"{path} names no log")
    return keys


class Witness:
    """Signs what continues what it signed before."""

    def __init__(
        self, name: str, key: Ed25519PrivateKey, logs: list[VerifierKey], state: Path, clock: Clock
    ) -> None:
        self._name = name
        self._key = key
        self._logs = logs
        self._state = state
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        state.mkdir(parents=True, exist_ok=True)
        self._folder = os.open(state, os.O_RDONLY)
        try:
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationProblem(f"another witness uses {state}") from None

    @property
    def verifier_key(self) -> VerifierKey:
        public = self._key.public_key()
        return signed_note.verifier_key(self._name, public, signed_note.COSIGNATURE)

    def add(self, body: bytes) -> Response:
        """Answer one request for a cosignature."""
        try:
            request = witnessing.parse(body)
        except ValueError:
            return _refused(Refused.MALFORMED, "")
        origin = request.note.text.partition("\n")[0]
        with self._one_at_a_time:
            return self._answer(request, origin)

    def _answer(self, request: AddCheckpoint, origin: str) -> Response:
        known = self._known(origin)
        answer = witnessing.decide(request, self._logs, known)
        if answer is Refused.OTHER_STATE:
            log.warning("checkpoint_conflicts", origin=origin, old=request.old)
            size = 0 if known is None else known.size
            return PlainTextResponse(
                f"{size}\n", answer.value, headers={"content-type": witnessing.SIZE_TYPE}
            )
        if isinstance(answer, Refused):
            return _refused(answer, origin)
        self._keep(origin, str(request.note).encode())
        at = int(self._clock.now().timestamp())
        signature = signed_note.cosign(request.note.text, self._name, self._key, at)
        log.info("checkpoint_signed", origin=origin, size=answer.size)
        return PlainTextResponse(str(signature))

    def _file(self, origin: str) -> Path:
        return self._state / f"{sha256(origin.encode()).hexdigest()[:32]}.checkpoint"

    def _known(self, origin: str) -> Checkpoint | None:
        path = self._file(origin)
        if not path.exists():
            return None
        return checkpoint.parse(signed_note.parse(path.read_bytes()).text)

    def _keep(self, origin: str, note: bytes) -> None:
        path = self._file(origin)
        made = path.with_suffix(".new")
        with made.open("wb") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
        os.fsync(self._folder)

    def close(self) -> None:
        os.close(self._folder)


def create(witness: Witness) -> Starlette:
    """The web application: POST /add-checkpoint."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > signed_note.MOST_BYTES:
                return _refused(Refused.MALFORMED, "")
        return await run_in_threadpool(witness.add, body)

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


def _refused(why: Refused, origin: str) -> Response:
    log.warning("checkpoint_refused", why=why.name.lower(), origin=origin)
    return PlainTextResponse(f"{why.name.lower()}\n", why.value)
