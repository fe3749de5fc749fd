"""Failures of one round of work, so that one does not prevent other work."""

from callserver.database.unavailable import UNAVAILABLE


class Failures:
    """Collects the failures of one tick, so that one does not prevent other work.

    An unavailable database ends the tick: nothing else could be done.
    """

    def __init__(self) -> None:
        self._first: Exception | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if not isinstance(error, Exception) or isinstance(error, UNAVAILABLE):
            return False
        self._first = self._first or error
        return True

    def raise_first(self) -> None:
        """The ticker logs it, and health shows that the tick failed."""
        if self._first is not None:
            raise self._first
