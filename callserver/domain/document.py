"""Configuration documents: the base of their models, and a file as it was read."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from callserver.texts import Sentence


class Document(BaseModel):
    """Frozen, and closed: a key that the model does not name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Key = tuple[str | int, ...]
Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class File:
    """One configuration file as it was read. `error` (line, why): it could not be read."""

    kind: str  # policy, campaign, departments, house, cases, survey, training, script or book
    path: str
    name: str
    data: Any
    positions: dict[Key, Position] = field(default_factory=dict)
    error: tuple[int, Sentence] | None = None
    base: "File | None" = None  # the file that this one extends

    def place(self, key: Key) -> tuple[str, int]:
        """The file and line of the key, or of the nearest enclosing one; bases are searched as well."""
        file, known, base = self, self._known(key), self.base
        while base is not None:
            nearer = base._known(key)  # noqa: SLF001
            if len(nearer) > len(known):
                file, known = base, nearer
            base = base.base
        return file.path, file.positions.get(known, (1, 1))[0]

    def _known(self, key: Key) -> Key:
        while key and key not in self.positions:
            key = key[:-1]
        return key
