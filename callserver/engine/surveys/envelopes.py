"""Encrypted envelopes of answers, all of one length. The private key is outside the database.

The private key is a file of the process that runs the scheduler. It is removed when the survey is closed.
After that no copy of the database, however old, shows who gave which answer.
"""

import contextlib
import os
import tempfile
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from callserver.domain.survey_results import Submission

LENGTH = 24 * 1024
"""Bytes of an envelope's content: more than the longest answers need."""

PUBLIC_BYTES = 32
_NONCE = bytes(12)  # each envelope has a key of its own
_PADDING = b" "  # JSON allows it behind the content


class KeyMissing(Exception):  # noqa: N818
    """The private key of an open survey is not in its file."""


def seal(public: bytes, quarter: str, submission: Submission) -> bytes:
    """An envelope that only the private key opens."""
    content = orjson.dumps({"department": submission.department, "given": dict(submission.given)})
    if len(content) > LENGTH:
        raise ValueError("the answers are too long for an envelope")
    once = X25519PrivateKey.generate()
    mine = once.public_key().public_bytes_raw()
    key = _key(once.exchange(X25519PublicKey.from_public_bytes(public)), mine, public)
    padded = content.ljust(LENGTH, _PADDING)
    return mine + ChaCha20Poly1305(key).encrypt(_NONCE, padded, quarter.encode())


def unseal(private: X25519PrivateKey, quarter: str, sealed: bytes) -> Submission:
    """The answers in an envelope.

    Raises:
        ValueError: it was not sealed for this key and quarter.
    """
    sender, encrypted = sealed[:PUBLIC_BYTES], sealed[PUBLIC_BYTES:]
    public = private.public_key().public_bytes_raw()
    key = _key(private.exchange(X25519PublicKey.from_public_bytes(sender)), sender, public)
    try:
        padded = ChaCha20Poly1305(key).decrypt(_NONCE, encrypted, quarter.encode())
    except InvalidTag:
        raise ValueError("not an envelope of this survey") from None
    content = orjson.loads(padded)
    return Submission(content["department"], content["given"])


def _key(shared: bytes, sender: bytes, receiver: bytes) -> bytes:
    info = b"callserver survey\0" + sender + receiver
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(shared)


class PrivateKeys:
    """The folder of private keys, one file for each open survey."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, quarter: str) -> bytes:
        """The public key of a quarter's new survey; its private key is durable before.

        A key that is there is kept: from an opening that was interrupted, or made by another process.

        Raises:
            KeyMissing: the file is there, but is not a key.
        """
        path = self._path(quarter)
        if not path.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(path, X25519PrivateKey.generate())
        return self.read(quarter).public_key().public_bytes_raw()

    def _write(self, path: Path, key: X25519PrivateKey) -> None:
        """Write the file, unless another process has just done so."""
        handle, part = tempfile.mkstemp(dir=self._folder, prefix=f"{path.stem}.", suffix=".part")
        with os.fdopen(handle, "w") as file:
            file.write(key.private_bytes_raw().hex())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)  # unlike a rename, it never replaces a key that is already in use
        Path(part).unlink()
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, quarter: str) -> X25519PrivateKey:
        """The private key of a quarter's survey.

        Raises:
            KeyMissing: the file is missing or not a key.
        """
        try:
            text = self._path(quarter).read_text()
            return X25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip()))
        except (OSError, ValueError):
            raise KeyMissing(f"{self._path(quarter)} holds no key") from None

    def quarters(self) -> set[str]:
        """The quarters of which there are files."""
        return {path.name.partition(".")[0] for path in self._files("*")}

    def remove(self, quarters: set[str]) -> None:
        """Remove these quarters' files, after overwriting their bytes."""
        for path in [path for quarter in quarters for path in self._files(quarter)]:
            with contextlib.suppress(FileNotFoundError):  # another process removes them too
                with path.open("r+b") as file:
                    file.write(bytes(path.stat().st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()

    def _files(self, quarter: str) -> list[Path]:
        """Also what a process that was killed left of its writing: it may hold the same key."""
        return [*self._folder.glob(f"{quarter}.key"), *self._folder.glob(f"{quarter}.*.part")]

    def _path(self, quarter: str) -> Path:
        return self._folder / f"{quarter}.key"
