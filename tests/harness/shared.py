"""What depends on its input only, computed once for all tests of a process: the configuration of the same files,
and the pattern of an address."""

from collections.abc import Mapping
from functools import cache, lru_cache

from starlette import routing

from callserver.adapters import config_folder
from callserver.adapters.yaml_files import Raw
from callserver.domain.configuration import Configuration, Problem

_compose = config_folder.compose_files


@lru_cache(maxsize=20)
def _composed(files: frozenset[tuple[str, Raw]]) -> Configuration | list[Problem]:
    return _compose(dict(files))


def _compose_files(raw: Mapping[str, Raw]) -> Configuration | list[Problem]:
    return _composed(frozenset(raw.items()))


def share() -> None:
    """Servers and commands that are made from now on share it."""
    config_folder.compose_files = _compose_files
    routing.compile_path = cache(routing.compile_path)
