"""Signing in: passwords, one-time codes, sessions.

Only hashes of passwords, cookies and tokens are stored. Every check of a secret is an
attempt that is reserved first (login_attempts.py); passwords are hashed in a separate thread and never inside
a transaction (password_hashing.py).
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import pyotp
from cryptography.fernet import Fernet, InvalidToken

from callserver.database import accounts, attempt_counters, audit
from callserver.database.accounts import Secrets, Session, User
from callserver.domain.audit import EntryKind
from callserver.domain.role import NEEDS_CODE, Role
from callserver.engine.accounts import password_rules
from callserver.engine.accounts.login_attempts import (
    LoginAttempt,
    LoginAttempts,
    Secret,
    Source,
    notice,
)
from callserver.engine.accounts.password_hashing import PasswordHashing, hash_password
from callserver.engine.audit_log.refused_requests import RefusedRequests
from callserver.engine.calls import lost_phoners
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement
from callserver.errors import NotAllowed, TooMany
from callserver.ports import Tx

LASTS = timedelta(hours=14)
"""The longest lifetime of a session: one working day."""

IDLE = timedelta(hours=2)
"""A session without a request for this long is signed out."""

TOUCHED = timedelta(minutes=1)
"""The resolution of a session's last request: writing it at every request would cost too much."""

CODE_STEP_S = 30

NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=1$IB1JcRWeZXxRJizSaILDvA$"
    "LtBtdxBcS+RprWqJLcsrSciAWQsLQFqfpFpdCWUYnqU"
)
"""The hash of discarded random bytes: an unknown name takes as long to check as a known one."""


class NotSignedIn(NotAllowed):
    """There is no session or token, or it is no longer valid."""


class Next(StrEnum):
    """The sign-in steps that a session still has to complete."""

    READY = "ready"
    PASSWORD = "password"  # noqa: S105 - the one-time password is to be replaced
    CODE_SETUP = "code_setup"
    CODE = "code"
    CONFIRMATION = "confirmation"  # a second person is to confirm the account


@dataclass(frozen=True, slots=True)
class CodeSetup:
    """What an authenticator app needs. It is shown once, during set-up."""

    key: str
    uri: str


def hash_of(token: str) -> str:
    """The stored hash of a token or a session's cookie."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> tuple[str, str]:
    """A new token and its hash. The token is shown once; only the hash is stored."""
    token = secrets.token_urlsafe(32)
    return token, hash_of(token)


def new_password() -> tuple[str, str]:
    """A password for the first sign-in that is easy to read aloud, and its hash."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    password = "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))
    return password, hash_password(password)


def due_step(user: User, session: Session, kept: Secrets) -> Next:
    """The next step of the session's sign-in.

    A user with an authenticator must enter a code before changing anything.
    """
    needs_code = Role(user.role) in NEEDS_CODE and not session.code_given
    if needs_code and kept.code_key is not None:
        return Next.CODE
    if session.password_once:
        return Next.PASSWORD
    if needs_code:
        return Next.CODE_SETUP
    return Next.READY if kept.role_given_by is None else Next.CONFIRMATION


class Authentication:
    """Signs users in and out."""

    def __init__(
        self, ctx: EngineContext, hashing: PasswordHashing, tally: RefusedRequests
    ) -> None:
        self._ctx = ctx
        self.hashing = hashing
        self._tally = tally
        self._attempts = LoginAttempts(ctx.secret)
        derived = hmac.digest(ctx.secret, b"one-time codes", hashlib.sha256)
        self._vault = Fernet(base64.urlsafe_b64encode(derived))

    # -- who is asking ------------------------------------------------------------------------

    async def session(self, cookie: str) -> tuple[Session, Next]:
        """The session of this cookie.

        Raises:
            NotSignedIn: there is none, or it has ended.
        """
        hashed, now = hash_of(cookie), self._ctx.clock.now()

        def look(tx: Tx) -> tuple[Session, Next]:
            open_session = accounts.session(tx, hashed)
            if (
                open_session is None
                or now - open_session.created_at > LASTS
                or now - open_session.seen_at > IDLE
            ):
                accounts.close_session(tx, hashed)
                raise NotSignedIn("sign in, please", key="sign_in")
            if now - open_session.seen_at > TOUCHED:
                accounts.change_session(tx, hashed, seen_at=now)
            secrets_now = accounts.secrets_of(tx, open_session.user.id)
            return open_session, due_step(open_session.user, open_session, secrets_now)

        return await self._ctx.store.run(look)

    # -- signing in ---------------------------------------------------------------------------

    async def sign_in(self, handle: str, password: str, source: Source) -> tuple[str, Next]:
        """The cookie of a new session, and the sign-in steps that are left.

        Raises:
            NotAllowed: name or password is wrong; the error does not say which.
            TooMany: too many attempts on this account or from this address, or too many sign-ins at once.
        """
        now = self._ctx.clock.now()

        def reserve(tx: Tx) -> tuple[LoginAttempt, User | None, str]:
            user = accounts.by_handle(tx, handle)
            if user is not None and user.left_at is not None:
                user = None
            attempt = self._attempts.reserve(tx, Secret.PASSWORD, handle, user, source, now)
            if user is None:
                return attempt, None, NOBODY
            return attempt, user, accounts.secrets_of(tx, user.id).password or NOBODY

        attempt, user, kept = await self._ctx.store.run(reserve)
        right = await self._right(attempt, kept, password)
        if user is None or not right:
            raise NotAllowed("name or password is wrong", key="wrong")
        cookie, hashed = new_token()

        def enter(tx: Tx) -> Next:
            accounts.lock(tx, user.id)  # it may be reset or off-boarded at this moment
            accounts.open_session(tx, hashed, user.id, now)
            open_session = accounts.session(tx, hashed)
            if open_session is None or accounts.secrets_of(tx, user.id).password != kept:
                raise NotSignedIn("the account has just changed", key="sign_in")
            if Role(user.role) not in NEEDS_CODE:
                self._attempts.complete(tx, user, source, now)
            audit.append(tx, now, EntryKind.SIGNED_IN, user=user.id)
            return due_step(user, open_session, accounts.secrets_of(tx, user.id))

        return cookie, await self._ctx.store.run(enter)

    async def _right(self, attempt: LoginAttempt, kept: str, password: str) -> bool:
        """Whether the password is right. An attempt with a wrong password stays counted.

        Raises:
            TooMany: too many passwords are being checked; this attempt is not counted.
        """
        try:
            right = await self.hashing.verified(kept, password)
        except TooMany:
            await self._ctx.store.run(lambda tx: self._attempts.cancel(tx, attempt))
            raise
        if not right:
            now = self._ctx.clock.now()
            await self._ctx.store.run(lambda tx: self._attempts.failed(tx, attempt, now))
            if attempt.user is None:
                await self._tally.note(EntryKind.SIGN_IN_REFUSED, "", "")
        return right

    async def choose_password(
        self, cookie: str, session: Session, new: str, old: str | None = None
    ) -> Next:
        """Replace a one-time password, or the one with the hash `old`. Every other session of the user ends, and a
        listening, which may be of such a session.

        Raises:
            Impossible: the new password breaks the password rules.
            NotSignedIn: the account was reset or off-boarded while the new password was hashed.
        """
        user = session.user
        password_rules.check(new, user.handle, user.name)
        hashed = await self.hashing.hashed(new)
        kept, now = hash_of(cookie), self._ctx.clock.now()

        def work(tx: Tx) -> Next:
            accounts.lock(tx, user.id)
            present = accounts.secrets_of(tx, user.id).password
            if accounts.session(tx, kept) is None or old not in (None, present):
                raise NotSignedIn("the account has just changed", key="sign_in")
            accounts.change(tx, user.id, password=hashed, password_once=False)
            accounts.close_sessions(tx, user.id, but=kept)
            placement.access_ended(tx, user.id, now)
            audit.append(tx, now, EntryKind.USER, user=user.id, did="password")
            secrets_now = accounts.secrets_of(tx, user.id)
            return due_step(user, session._replace(password_once=False), secrets_now)

        return await self._ctx.store.run(work)

    async def change_password(
        self, cookie: str, session: Session, old: str, new: str, source: Source
    ) -> None:
        """Replace the user's password, given the old one.

        Raises:
            NotAllowed: the old password is wrong.
            Impossible: the new one breaks the password rules.
            TooMany: too many wrong attempts, or too many sign-ins at once.
        """
        user, now = session.user, self._ctx.clock.now()
        password_rules.check(new, user.handle, user.name)

        def reserve(tx: Tx) -> tuple[LoginAttempt, str]:
            attempt = self._attempts.reserve(tx, Secret.PASSWORD, user.handle, user, source, now)
            return attempt, accounts.secrets_of(tx, user.id).password or NOBODY

        attempt, kept = await self._ctx.store.run(reserve)
        if not await self._right(attempt, kept, old):
            raise NotAllowed("the old password is wrong", key="wrong_old")
        await self._ctx.store.run(lambda tx: self._attempts.complete(tx, user, source, now))
        await self.choose_password(cookie, session, new, kept)

    def set_up_code(self, user: User) -> CodeSetup:
        """A new key for an authenticator. It is stored only after a code made with it has been entered."""
        key = pyotp.random_base32()
        uri = pyotp.TOTP(key).provisioning_uri(name=user.handle, issuer_name="callserver")
        return CodeSetup(key, uri)

    def keep(self, key: str) -> str:
        """An authenticator's key, encrypted for the database."""
        return self._vault.encrypt(key.encode()).decode()

    async def give_code(
        self, cookie: str, session: Session, code: str, source: Source, key: str | None = None
    ) -> None:
        """Check a one-time code. `key`: the new key, while an authenticator is being set up.

        Raises:
            NotAllowed, TooMany: it is wrong or was used before; too many were wrong.
        """
        user, now, hashed = session.user, self._ctx.clock.now(), hash_of(cookie)

        def work(tx: Tx) -> bool:
            attempt = self._attempts.reserve(tx, Secret.CODE, user.handle, user, source, now)
            kept = accounts.secrets_of(tx, user.id)
            if (kept.code_key is None) != (key is not None):
                raise NotAllowed(
                    "an authenticator is set up already, or none is", key="step_not_due"
                )
            step = self._step_of(kept.code_key, key, code, self._ctx.clock.device_time())
            if step is None or (kept.code_step is not None and step <= kept.code_step):
                self._attempts.failed(tx, attempt, now)
                return False
            values = {} if key is None else {"code_key": self.keep(key)}
            accounts.change(tx, user.id, code_step=step, **values)
            accounts.change_session(tx, hashed, code_given=True)
            self._attempts.complete(tx, user, source, now)
            if key is not None:
                audit.append(tx, now, EntryKind.USER, user=user.id, did="code_set_up")
            return True

        if not await self._ctx.store.run(work):
            raise NotAllowed("the code is wrong, or was used before", key="wrong_code")

    async def refused_attempts(self, user: User) -> tuple[int, datetime | None]:
        """How many sign-in attempts failed since the owner last acknowledged them."""
        counter = await self._ctx.store.read(lambda tx: attempt_counters.get(tx, notice(user.id)))
        return (0, None) if counter is None else (counter.count, counter.last)

    async def attempts_seen(self, user: User) -> None:
        """Record that the owner has acknowledged the failed attempts."""
        await self._ctx.store.run(lambda tx: attempt_counters.forget(tx, notice(user.id)))

    async def choose_language(self, user: User, language: str) -> None:
        await self._ctx.store.run(lambda tx: accounts.change(tx, user.id, language=language))

    async def sign_out(self, cookie: str, user: User) -> None:
        """End this session."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> None:
            accounts.close_session(tx, hash_of(cookie))
            if not accounts.sessions_of(tx, user.id):
                accounts.change(tx, user.id, seen_at=None)  # no longer present on the floor
                lost_phoners.without_page(tx, user.id, now)
            audit.append(tx, now, EntryKind.SIGNED_OUT, user=user.id)

        await self._ctx.store.run(work)

    def _step_of(
        self, stored: str | None, given: str | None, code: str, now: datetime
    ) -> int | None:
        """The time step that this code belongs to. One step early or late is accepted."""
        try:
            key = given or (None if stored is None else self._vault.decrypt(stored).decode())
        except InvalidToken:  # CALLSERVER_KEY has changed: set up again by `callserver user reset`
            return None
        if key is None or not code.isascii():
            return None
        try:
            totp = pyotp.TOTP(key)
            present = int(now.timestamp()) // CODE_STEP_S
            for step in (present, present - 1, present + 1):
                if hmac.compare_digest(totp.generate_otp(step), code.replace(" ", "")):
                    return step
        except ValueError:  # the key is no base32
            return None
        return None
