"""Configuration files: YAML with the line of every key, and the folder they stand in.

YAML 1.1's surprises are switched off: only true and false are booleans, 09:00 is a text and not
540, a date stays a date, and the same key twice in one mapping is an error.
"""

import re
from collections.abc import Hashable
from pathlib import Path

import yaml

from callserver.domain.document import File, Key, Position


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's idea of plain words."""


_REPLACED = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in _REPLACED]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+\.[0-9]+$"), list("-+0123456789")
)


def read_yaml(kind: str, path: Path, name: str, shown: str) -> File:
    """One YAML file with the position of every key."""
    positions: dict[Key, Position] = {}
    text = path.read_text("utf-8")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return File(kind, shown, name, {}, {(): (1, 1)})
        _walk(node, (), positions)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = 1 if mark is None else mark.line + 1
        return File(kind, shown, name, {}, error=(line, str(error.problem or error)))
    finally:
        loader.dispose()
    return File(kind, shown, name, data, positions)


def _walk(node: yaml.Node, key: Key, positions: dict[Key, Position]) -> None:
    positions.setdefault(key, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key_node, value in node.value:
            part = str(key_node.value)
            if part in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {part!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(part)
            mark = key_node.start_mark
            positions[(*key, part)] = (mark.line + 1, mark.column + 1)
            _walk(value, (*key, part), positions)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _walk(value, (*key, position), positions)


def read_folder(folder: Path) -> list[File]:
    """Every file of a configuration folder: policies, campaigns, departments, house, scripts."""
    found: list[File] = []
    for kind, place in (("policy", "policies"), ("campaign", "campaigns")):
        paths = sorted((folder / place).glob("*.yaml"))
        found += [read_yaml(kind, one, one.stem, str(one.relative_to(folder))) for one in paths]
    for kind in ("departments", "house"):
        path = folder / f"{kind}.yaml"
        if path.exists():
            found.append(read_yaml(kind, path, kind, path.name))
    for path in sorted((folder / "scripts").glob("*.md")):
        text = path.read_text("utf-8")
        found.append(File("script", str(path.relative_to(folder)), path.name, text, {(): (1, 1)}))
    return found


def signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a file does: names, sizes and times."""
    return tuple(
        (str(path), stat.st_size, stat.st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".yaml", ".md") and (stat := path.stat())
    )
