"""The error tree. An exception is for what should not happen; a refusal is a value.

CallserverError
├── ConfigurationProblem   settings or files that cannot be used; says which and why
├── NotAllowed             the caller may not do this (role, department, state of the seat)
├── NotFound               no such thing
└── Impossible             a request that does not fit the state; says what would fit
"""


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
