"""What a final SIP response means for a call during which no telephone rang (RFC 3261, section 21)."""

STOPS = frozenset({401, 402, 403, 407})
"""The carrier rejects the account (credentials, payment, permission), so every call would fail."""

NO_SUCH_NUMBER = frozenset({404, 410, 414, 416, 484, 485, 604})
"""The carrier does not know the number: it does not exist, or the carrier wants numbers in another form."""

_ABOUT_THE_CALLED = NO_SUCH_NUMBER | {408, 480, 486, 487, 600, 603, 607}
"""The number does not exist, or its telephone is off, busy, or declined the call."""


def is_refusal(code: int) -> bool:
    """Whether the response means that the carrier refused to carry the call."""
    return 300 <= code < 700 and code not in _ABOUT_THE_CALLED
