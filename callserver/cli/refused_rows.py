"""The file of refused rows beside the file that was read."""

from pathlib import Path

from callserver import texts
from callserver.engine.lists.number_files import Numbers
from callserver.engine.lists.refused_rows import as_file


def beside(file: Path) -> Path:
    """Where the refused rows of a file go."""
    return file.with_name(file.name + ".refused.csv")


def tell(file: Path, numbers: Numbers) -> None:
    """Write what a file of numbers had refused beside it, and say where."""
    if content := as_file(numbers, "en"):
        where = beside(file)
        where.write_bytes(content)
        print(texts.say("en", "import.refused_file", file=where))
