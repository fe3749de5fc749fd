"""The configuration folder: read as a whole, composed into a configuration, written back.

Stored and proposed texts are parsed as the folder is (yaml_files.py).
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from callserver.adapters import yaml_files
from callserver.adapters.book_files import BookFiles
from callserver.domain.configuration import Configuration, Problem, compose
from callserver.domain.review import Review
from callserver.errors import ConfigurationProblem


def load(folder: Path) -> Configuration:
    """The configuration of a folder.

    Raises:
        ConfigurationProblem: names every problem with file, line and key.
    """
    return ConfigFolder(folder).read()[0]


class ConfigFolder:
    """One folder of configuration files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[object, Configuration, dict[str, str]] | None = None

    def __str__(self) -> str:
        return str(self._path)

    def signature(self) -> object:
        """A value that changes with any file."""
        return yaml_files.signature(self._path)

    def read(self) -> tuple[Configuration, dict[str, str]]:
        """The folder's configuration and the texts of its files; unchanged files are not read again.

        Raises:
            ConfigurationProblem: names every problem with file, line and key.
        """
        signature = self.signature()
        if self._read is not None and self._read[0] == signature:
            return self._read[1], self._read[2]
        raw = yaml_files.read_folder(self._path)
        composed = compose_files(raw)
        if not isinstance(composed, list):
            composed = BookFiles(self._path).problems(composed) or composed
        if isinstance(composed, list):
            problems = "\n".join(f"  {problem}" for problem in composed)
            raise ConfigurationProblem(f"the configuration in {self} cannot be used:\n{problems}")
        texts = {path: _text(raw[path]) for path in sorted(composed.content)}
        self._read = (signature, composed, texts)
        return composed, texts

    def review(self) -> Review | None:
        """What change.yaml says about the present change; None: it is missing or incomplete."""
        file = yaml_files.read_beside(self._path, "change.yaml")
        try:
            return None if file is None else Review.model_validate(file.data)
        except ValidationError:
            return None

    @staticmethod
    def compose(texts: Mapping[str, str]) -> Configuration | list[Problem]:
        """The configuration of these files, or all their problems."""
        return compose_files({path: text.encode() for path, text in texts.items()})

    def holds(self, texts: Mapping[str, str]) -> bool:
        """Whether the folder's files are exactly these texts."""
        try:
            return self.read()[1] == dict(texts)
        except (ConfigurationProblem, OSError, UnicodeDecodeError):
            return False

    def write(self, was: Mapping[str, str], would: Mapping[str, str]) -> None:
        """Replace the folder's texts `was` by `would`: all files or none.

        Raises:
            OSError: it cannot be written; it is unchanged.
        """
        changed = sorted(path for path in {*was, *would} if was.get(path) != would.get(path))
        ready: dict[str, Path] = {}
        done: list[str] = []
        try:
            for path in changed:
                if path in would:
                    ready[path] = _temporary(self._path / path, would[path])
                elif not os.access((self._path / path).parent, os.W_OK):
                    raise PermissionError(f"{path} cannot be removed")
            for path in changed:
                done.append(path)
                if path in ready:
                    ready[path].replace(self._path / path)
                else:
                    (self._path / path).unlink(missing_ok=True)
        except OSError:
            for path in done:
                self._restore(path, was.get(path))
            for temporary in ready.values():
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
            raise

    def _restore(self, path: str, text: str | None) -> None:
        with contextlib.suppress(OSError):
            if text is None:
                (self._path / path).unlink(missing_ok=True)
            else:
                _temporary(self._path / path, text).replace(self._path / path)


def compose_files(raw: Mapping[str, yaml_files.Raw]) -> Configuration | list[Problem]:
    """The configuration of these files, or all their problems."""
    return compose(yaml_files.parse(raw))


def _text(raw: yaml_files.Raw) -> str:
    """The text of a file that was composed, and so is readable UTF-8."""
    return "" if isinstance(raw, OSError) else yaml_files.decoded(raw)


def _temporary(path: Path, text: str) -> Path:
    """A complete, durable file beside the one that it will replace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        temporary.chmod(path.stat().st_mode & 0o777)
    return temporary
