"""Where the published log goes outside this machine: witnesses over HTTP, and the operator's command."""

import asyncio
import contextlib
import os
import shlex
import signal
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog

from callserver.domain import signed_note
from callserver.domain.signed_note import VerifierKey
from callserver.errors import ConfigurationProblem

log = structlog.get_logger(__name__)

MOST_ANSWER = 65_536
FOLDER = "{folder}"


class HttpWitness:
    """A witness at a web address (C2SP tlog-witness)."""

    def __init__(self, http: httpx.AsyncClient, key: VerifierKey, url: str) -> None:
        self._http = http
        self._key = key
        self._url = url.rstrip("/")

    @property
    def key(self) -> VerifierKey:
        return self._key

    async def add_checkpoint(self, body: bytes) -> tuple[int, bytes]:
        try:
            answer = await self._http.post(f"{self._url}/add-checkpoint", content=body)
        except httpx.HTTPError as error:
            log.warning("witness_unreachable", witness=self._key.name, why=type(error).__name__)
            return 0, b""
        return answer.status_code, answer.content[:MOST_ANSWER]


def read_witnesses(path: str, quorum: int, http: httpx.AsyncClient) -> list[HttpWitness]:
    """The witnesses of a file: key (vkey), a blank, address; one a line, comments after #.

    Raises:
        ConfigurationProblem: the file is missing, a line cannot be used, or they are fewer than the quorum.
    """
    if not path:
        return []
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError as error:
        raise ConfigurationProblem(f"CALLSERVER_WITNESSES: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationProblem(f"CALLSERVER_WITNESSES: {path}: should be UTF-8") from None
    witnesses = []
    for number, line in enumerate(lines, 1):
        text, _, url = line.partition("#")[0].strip().partition(" ")
        if not text:
            continue
        try:
            key = signed_note.parse_key(text)
        except ValueError as error:
            raise ConfigurationProblem(f"{path}:{number}: {error}") from None
        parts = urlsplit(url.strip())
        if key.algorithm != signed_note.COSIGNATURE or not (
            parts.scheme in ("http", "https") and parts.hostname
        ):
            raise ConfigurationProblem(
                f"{path}:{number}: should be a witness's key and its address, like"
                " witness.example.org+1a2b3c4d+BASE64 https://witness.example.org"
            )
        witnesses.append(HttpWitness(http, key, url.strip()))
    if quorum > len(witnesses) > 0:
        raise ConfigurationProblem(
            f"CALLSERVER_WITNESS_QUORUM={quorum}: more than the witnesses that there are ({len(witnesses)})"
        )
    return witnesses


class OperatorsCommand:
    """Runs the operator's command without a shell; a hanging one is ended with what it started."""

    def __init__(
        self, words: str, folder: Path, seconds: float, environment: dict[str, str]
    ) -> None:
        self._words = [word.replace(FOLDER, str(folder.resolve())) for word in split_command(words)]
        self._seconds = seconds
        self._environment = environment

    async def run(self) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            return error.strerror or type(error).__name__
        try:
            code = await asyncio.wait_for(process.wait(), self._seconds)
        except TimeoutError:
            return f"not done after {self._seconds:.0f} s"
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return f"exit code {code}" if code else ""


def split_command(words: str) -> list[str]:
    """The command's words, as a shell would split them, but nothing else of a shell.

    Raises:
        ConfigurationProblem: quotes are not closed, or it does not name the folder.
    """
    try:
        split = shlex.split(words)
    except ValueError as error:
        raise ConfigurationProblem(f"CALLSERVER_PUBLISH_COMMAND: {error}") from None
    if not any(FOLDER in word for word in split[1:]):
        raise ConfigurationProblem(
            f"CALLSERVER_PUBLISH_COMMAND: should name {FOLDER}, like /usr/local/bin/copy-log {FOLDER}"
        )
    return split
