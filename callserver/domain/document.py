"""What administrators write: the base of its models, and a file as it was read."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """Frozen, and closed: what is not named in the model is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Key = tuple[str | int, ...]
Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class File:
    """One configuration file as it was read. `error` (line, why): it cannot be read at all."""

    kind: str  # policy campaign departments house script
    path: str
    name: str
    data: Any
    positions: dict[Key, Position] = field(default_factory=dict)
    error: tuple[int, str] | None = None
    base: "File | None" = None  # the file that this one extends

    def place(self, key: Key) -> tuple[str, int]:
        """The file and line of the key, or of the nearest one around it; bases are looked in too."""
        found, known, base = self, self._known(key), self.base
        while base is not None:
            nearer = base._known(key)  # noqa: SLF001
            if len(nearer) > len(known):
                found, known = base, nearer
            base = base.base
        return found.path, found.positions.get(known, (1, 1))[0]

    def _known(self, key: Key) -> Key:
        while key and key not in self.positions:
            key = key[:-1]
        return key
