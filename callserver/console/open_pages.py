"""The streams that are open at one time, looked up by their users."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from callserver.console.live_stream import Stream

Fits = Callable[[Stream], bool]
"""Whether a stream takes something. The answer never changes: neither what it asked for nor its rights do."""


class OpenPages:
    """Each question is asked once of each stream, however many readings of the log follow."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self.streams = tuple(streams)
        self._those: dict[Fits, Sequence[Stream]] = {}
        self._of_users: dict[Fits, Mapping[int, Sequence[Stream]]] = {}

    def those(self, fits: Fits) -> Sequence[Stream]:
        """The streams that fit."""
        found = self._those.get(fits)
        if found is None:
            found = self._those[fits] = tuple(filter(fits, self.streams))
        return found

    def of_users(self, fits: Fits) -> Mapping[int, Sequence[Stream]]:
        """The same by their users."""
        found = self._of_users.get(fits)
        if found is None:
            by_user: dict[int, list[Stream]] = {}
            for stream in self.those(fits):
                by_user.setdefault(stream.request.user.id, []).append(stream)
            found = self._of_users[fits] = by_user
        return found
