"""The file that names several exchanges, with the settings in which each differs from the environment.

    nord:
      url: http://10.0.0.2:8088
      password: …
    syd:
      url: http://10.0.0.3:8088
      password: …

A key is a variable's name in lower case, without ASTERISK_.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from callserver.adapters import yaml_files
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

NAME = re.compile("[a-z][a-z0-9]{0,15}")

_PREFIX = "asterisk_"
_OF_ALL = _PREFIX + "exchanges"
_KEYS = frozenset(
    field.removeprefix(_PREFIX)
    for field in Settings.model_fields
    if field.startswith(_PREFIX) and field != _OF_ALL
)


def exchanges(settings: Settings) -> Mapping[str, Settings]:
    """The settings of every exchange by its name, in the file's order. Without a file there is one exchange,
    whose name is empty.

    Raises:
        ConfigurationProblem: the file cannot be used.
    """
    if not settings.asterisk_exchanges:
        return {"": settings}
    file = Path(settings.asterisk_exchanges)
    read = yaml_files.read_beside(file.parent, file.name)
    content = None if read is None else read.data
    if not isinstance(content, dict) or not content:
        raise ConfigurationProblem(f"{file}: should be a YAML file with the name of each exchange")
    each = {str(name): _of(file, settings, str(name), own) for name, own in content.items()}
    for key in ("url", "softphone_url"):
        values = [getattr(own, _PREFIX + key) for own in each.values()]
        if len(set(values)) < len(values):
            raise ConfigurationProblem(f"{file}: each exchange needs a {key} of its own")
    return each


def named(settings: Settings, name: str) -> Settings:
    """The settings of one exchange.

    Raises:
        ConfigurationProblem: there is none of this name; says which there are.
    """
    each = exchanges(settings)
    if name not in each:
        known = (
            ", ".join(filter(None, each)) or "one, without a name (ASTERISK_EXCHANGES is not set)"
        )
        raise ConfigurationProblem(f"there is no exchange {name!r}; there are: {known}")
    return each[name]


def _of(file: Path, common: Settings, name: str, own: Any) -> Settings:
    """The settings of one exchange; browsers reach it below /ws/NAME unless it says otherwise.

    Raises:
        ConfigurationProblem: a name, a key or a value cannot be used.
    """
    if not NAME.fullmatch(name):
        raise ConfigurationProblem(
            f"{file}: {name!r} should be a short name of small letters and digits, such as nord"
        )
    if not isinstance(own, dict) or (unknown := sorted(map(str, own.keys() - _KEYS))):
        what = ", ".join(unknown) if isinstance(own, dict) else "a value"
        raise ConfigurationProblem(
            f"{file}: {name}: {what} is no setting of an exchange; a key is a variable's name in "
            "lower case, without ASTERISK_"
        )
    address = common.public_url.rstrip("/").replace("http", "ws", 1)
    values = {
        **common.model_dump(),
        _PREFIX + "softphone_url": f"{address}/ws/{name}",
        **{_PREFIX + key: value for key, value in own.items()},
        _OF_ALL: "",
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        keys = ", ".join(str(problem["loc"][0]) for problem in error.errors())
        raise ConfigurationProblem(f"{file}: {name}: cannot be used: {keys}") from None
