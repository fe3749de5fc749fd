"""The position of each signed head in a heads file, so that a large file is read one head at a time."""

from array import array
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from callserver.domain import signed_heads
from callserver.domain.signed_heads import Head


class HeadsIndex:
    """The heads of a file, without duplicates, the smallest first.

    The parts of a rotated file may have been joined in any order. The signatures determine the order. A last
    line that is incomplete is left out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not a head.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._sizes, self._firsts, self._places = array("q"), array("q"), array("q")
        self.end = 0  # of the last complete line, in bytes
        try:
            self._scan()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Head]:
        return map(signed_heads.parse, self.lines())

    @property
    def covered(self) -> int:
        """How many entries lie before the end of the last head."""
        return self._sizes[-1] if self._sizes else 0

    def lines(self, after: int = 0) -> Iterator[bytes]:
        """The stored heads without line ends, except the first `after` ones."""
        for at in range(after, len(self._places)):
            yield self._line(self._places[at])

    def ranges(self) -> Iterator[tuple[int, int]]:
        """The first entry of each head, and the first one after it."""
        return zip(self._firsts, self._sizes, strict=True)

    def _scan(self) -> None:
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            if len(line) > 1:
                head = signed_heads.parse(line)
                try:
                    self._sizes.append(head.size)
                    self._firsts.append(head.first)
                except (TypeError, OverflowError) as error:
                    raise ValueError("not a head") from error
                self._places.append(self.end)
            self.end += len(line)
        if any(one >= other for one, other in pairwise(self._sizes)):
            self._sort()

    def _sort(self) -> None:
        places = sorted(range(len(self._sizes)), key=self._sizes.__getitem__)
        sizes, firsts, kept = array("q"), array("q"), array("q")
        for _, same in groupby(places, key=self._sizes.__getitem__):
            # A head that stands there in both forms is one head.
            lines = {signed_heads.parse(self._line(self._places[at])).line(): at for at in same}
            for _, at in sorted(lines.items()):
                sizes.append(self._sizes[at])
                firsts.append(self._firsts[at])
                kept.append(self._places[at])
        self._sizes, self._firsts, self._places = sizes, firsts, kept

    def _line(self, place: int) -> bytes:
        if self._file.tell() != place:
            self._file.seek(place)
        return self._file.readline().rstrip(b"\n")
