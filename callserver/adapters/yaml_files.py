"""Configuration files: YAML with the position of every key, and the folder of the files.

YAML 1.1's surprises are switched off: only true and false are booleans, 09:00 is a text and not
540, a date stays a text, << merges nothing, and the same key twice in one mapping is an error. Aliases are
refused: 280 bytes of nested aliases would expand to gigabytes. So are tags: `!!bool x` is no YAML error for
the parser but a KeyError.
"""

import os
import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer

from callserver.domain.configuration import SINGLE_FILES
from callserver.domain.document import File, Key, Position
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput, Sentence

SUFFIXES = (".yaml", ".yml", ".md")

Raw = bytes | OSError
"""A file's bytes, or why it cannot be read."""

MOST_BYTES = 100_000
"""The largest configuration file; the largest one shipped has 4 kB."""

MOST_NODES = 10_000
"""The most values in one YAML file: each costs time and memory to load."""

MOST_DEPTH = 20
"""The deepest nesting of lists: the scanner's time grows with the square of the depth."""

MOST_WHY = 200
"""The longest text of a problem: YAML's errors may quote a whole line."""


class _MisleadingError(yaml.MarkedYAMLError):
    """Valid YAML that would be misread."""

    def __init__(self, why: InvalidInput, mark: Any) -> None:
        super().__init__(problem=str(why), problem_mark=mark)
        self.why = why


class Loader(Composer, yaml.CSafeLoader):
    """PyYAML's SafeLoader on libyaml's parser, with YAML 1.2's plain scalars, without aliases, and with limits.

    PyYAML's own parser takes five times as long: a sixth of a command's time.
    """

    _nodes = 0
    _depth = 0

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node.

        Raises:
            _MisleadingError: it is an alias, it has a tag, it is nested too deep, or the file has too many
                nodes.
        """
        event: Any = self.peek_event()
        mark: Any = event.start_mark
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent):
            raise _MisleadingError(InvalidInput("alias", name=str(event.anchor)[:MOST_WHY]), mark)
        if (tag := getattr(event, "tag", None)) is not None:
            raise _MisleadingError(InvalidInput("tag", name=str(tag)[:MOST_WHY]), mark)
        if self._nodes > MOST_NODES:
            raise _MisleadingError(InvalidInput("too_many_values", most=MOST_NODES), mark)
        is_flow = isinstance(event, yaml.CollectionStartEvent) and bool(event.flow_style)
        if is_flow and self._depth >= MOST_DEPTH:
            raise _MisleadingError(InvalidInput("too_deep", most=MOST_DEPTH), mark)
        self._depth += is_flow
        node = super().compose_node(parent, index)
        self._depth -= is_flow
        return node


_NULL = "tag:yaml.org,2002:null"
_REPLACED = {f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "timestamp", "merge")}
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|false)$"), list("tf"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789")
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+\.[0-9]+$"), list("-+0123456789")
)


def read_yaml(kind: str, raw: Raw, name: str, shown: str) -> File:
    """One YAML file with the position of every key."""
    text = _text(raw)
    if isinstance(text, str):
        return _yaml(kind, text, name, shown)
    return File(kind, shown, name, {}, error=text)


def _text(raw: Raw) -> str | tuple[int, Sentence]:
    """The file's text, or the line in which it cannot be read and the reason."""
    if isinstance(raw, OSError):
        return 1, InvalidInput("unreadable", why=str(raw.strerror)).sentence
    if len(raw) > MOST_BYTES:
        return 1, InvalidInput("too_large", most=MOST_BYTES // 1000).sentence
    try:
        return decoded(raw)
    except UnicodeDecodeError as error:
        return raw.count(b"\n", 0, error.start) + 1, InvalidInput("not_utf8").sentence


def decoded(raw: bytes) -> str:
    """The text as it is kept: without byte order mark, and with one kind of line ending.

    The rules in force are read from kept texts again, and have to be the same ones.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


@lru_cache(maxsize=256)
def _yaml(kind: str, text: str, name: str, shown: str) -> File:
    """Cached, because one changed file causes the whole folder to be parsed. A File's data is never changed."""
    positions: dict[Key, Position] = {}

    def wrong(line: int, why: InvalidInput) -> File:
        return File(kind, shown, name, {}, error=(line, why.sentence))

    def not_yaml(line: int, why: str) -> File:
        return wrong(line, InvalidInput("not_yaml", why=why[:MOST_WHY]))

    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if node is None:
            return File(kind, shown, name, {}, {(): (1, 1)})
        _walk(node, (), positions)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        if isinstance(error, _MisleadingError):
            return wrong(line, error.why)
        return not_yaml(line, str(error.problem or error))
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position]
        return not_yaml(before.count(b"\n") + 1, str(error.reason))
    except (yaml.YAMLError, ValueError) as error:  # a number of too many digits
        return not_yaml(1, str(error).splitlines()[0])
    except RecursionError:
        return wrong(1, InvalidInput("contains_itself"))
    return File(kind, shown, name, data, positions)


def _walk(node: yaml.Node, key: Key, positions: dict[Key, Position]) -> None:
    positions.setdefault(key, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key_node, value in node.value:
            part = str(key_node.value)
            if part in seen:
                raise _MisleadingError(
                    InvalidInput("twice", key=repr(part)[:MOST_WHY]), key_node.start_mark
                )
            seen.add(part)
            if isinstance(value, yaml.ScalarNode) and value.tag == _NULL and not value.value:
                raise _MisleadingError(
                    InvalidInput("no_value", key=repr(part)[:MOST_WHY]), key_node.start_mark
                )
            mark = key_node.start_mark
            positions[(*key, part)] = (mark.line + 1, mark.column + 1)
            _walk(value, (*key, part), positions)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _walk(value, (*key, position), positions)


def read_folder(folder: Path) -> dict[str, Raw]:
    """The files of a configuration folder by path: their bytes, or why they cannot be read.

    Raises:
        ConfigurationProblem: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigurationProblem(
            f"there is no folder {folder}: run commands in the folder that `callserver init` made"
        )
    return {
        str(path.relative_to(folder)): _bytes(path)
        for path in sorted([*folder.glob("*"), *folder.glob("*/*")])
        if path.suffix in SUFFIXES and path.is_file()
    }


def read_beside(folder: Path, name: str) -> File | None:
    """A YAML file in the folder that is not part of the configuration; None: there is none."""
    path = folder / name
    return read_yaml(path.stem, _bytes(path), path.stem, name) if path.is_file() else None


def _bytes(path: Path) -> Raw:
    """A file's bytes; one byte more than allowed of a file that is too large."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        return error


_KINDS = {
    "policies": "policy",
    "campaigns": "campaign",
    "scripts": "script",
    "books": "book",
}
"""The folders, in the order in which they are parsed, and the kinds of their files."""


def parse(raw: Mapping[str, Raw]) -> list[File]:
    """The parsed files of a configuration; other files are left out."""
    paths = [Path(path) for path in sorted(raw)]
    files = [
        _single(path, raw[str(path)])
        for path in paths
        if str(path.with_suffix(".yaml")) in SINGLE_FILES and path.suffix != ".md"
    ]
    for folder, kind in _KINDS.items():
        files += [
            file
            for path in paths
            if str(path.parent) == folder
            and (file := _file(kind, path, raw[str(path)])) is not None
        ]
    return files


def _single(path: Path, raw: Raw) -> File:
    if path.suffix == ".yaml":
        return read_yaml(path.stem, raw, path.stem, path.name)
    return _with_another_suffix(path.stem, path)


def _with_another_suffix(kind: str, path: Path) -> File:
    """A file that would be left out without a word."""
    why = InvalidInput("yaml_suffix").sentence
    return File(kind, str(path), path.name, {}, error=(1, why))


def _file(kind: str, path: Path, raw: Raw) -> File | None:
    shown = str(path)
    match kind, path.suffix:
        case "policy" | "campaign", ".yaml":
            return read_yaml(kind, raw, path.stem, shown)
        case "policy" | "campaign", ".yml":
            return _with_another_suffix(kind, path)
        case "script", ".md":
            text = _text(raw)
            if isinstance(text, str):
                return File("script", shown, path.name, text, {(): (1, 1)})
            return File("script", shown, path.name, "", error=text)
        case "book", ".md":
            return _book(raw, path, shown)
        case _:
            return None


def _book(raw: Raw, path: Path, shown: str) -> File:
    """Markdown with YAML front matter between two lines of ---."""
    whole = _text(raw)
    if not isinstance(whole, str):
        return File("book", shown, path.stem, {}, error=whole)
    before, begins, rest = f"\n{whole}".partition("\n---\n")
    head, ends, text = rest.partition("\n---\n")
    if before or not begins or not ends:
        why = InvalidInput("book_head").sentence
        return File("book", shown, path.stem, {}, error=(1, why))
    file = _yaml("book", f"\n{head}", path.stem, shown)  # keeps the file's own line numbers
    if file.error is not None or not isinstance(file.data, dict):
        return file
    return replace(file, data={**file.data, "text": text})


def signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """A value that changes with any file: names, sizes and times."""
    found = list(os.scandir(folder)) if folder.is_dir() else []
    found += [file for place in found if place.is_dir() for file in os.scandir(place)]
    return tuple(
        sorted(
            (file.path, stat.st_size, stat.st_mtime_ns)
            for file in found
            if file.name.endswith((*SUFFIXES, ".pdf")) and (stat := file.stat())
        )
    )
