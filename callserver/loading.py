"""Reading the configuration folder: files in, a Configuration out, or every problem at once."""

from pathlib import Path

from callserver.adapters import files
from callserver.domain import configuration
from callserver.domain.configuration import Configuration
from callserver.errors import ConfigurationProblem


def load(folder: Path) -> Configuration:
    """The configuration of a folder.

    Raises:
        ConfigurationProblem: names every problem with file, line and key.
    """
    found = configuration.compose(files.read_folder(folder))
    if isinstance(found, Configuration):
        return found
    said = "\n".join(f"  {problem}" for problem in found)
    raise ConfigurationProblem(f"the configuration in {folder} cannot be used:\n{said}")
