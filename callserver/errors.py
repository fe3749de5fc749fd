"""The exceptions. They are for what should not happen; an expected refusal is a value.

CallserverError
├── ConfigurationProblem   settings or files that cannot be used: which, and why
├── NotAllowed             the user may not do this (role, department, state of the seat)
├── NotFound               the requested object does not exist
├── Impossible             the request does not fit the current state
└── TooMany                too often or too many at once: when to try again
"""

import math


class CallserverError(Exception):
    """Base of all errors whose text a person may read.

    `key` names the sentence in the catalogues (`error.<key>`, with the same `{values}`), for pages
    that speak the reader's language; `str()` is for the terminal and the log.
    """

    def __init__(self, text: str, *, key: str = "", **values: object) -> None:
        super().__init__(text)
        self.key = key
        self.values = values


class ConfigurationProblem(CallserverError):  # noqa: N818
    pass


class NotAllowed(CallserverError):  # noqa: N818
    pass


class NotFound(CallserverError):  # noqa: N818
    pass


class Impossible(CallserverError):  # noqa: N818
    pass


class TooMany(CallserverError):  # noqa: N818
    """`retry_after_s`: when to try again. Its sentence may use `{minutes}`."""

    def __init__(self, text: str, retry_after_s: float, *, key: str, **values: object) -> None:
        self.retry_after_s = max(1, math.ceil(retry_after_s))
        super().__init__(text, key=key, minutes=math.ceil(self.retry_after_s / 60), **values)
