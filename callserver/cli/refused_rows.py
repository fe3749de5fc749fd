"""The file of refused rows beside the file that was read."""

from pathlib import Path

from callserver import texts
from callserver.engine.lists.number_files import Numbers
from callserver.engine.lists.refused_rows import as_file


def beside(file: Path) -> Path:
    """The file for the refused rows of a file."""
    return file.with_name(file.name + ".refused.csv")


def write(file: Path, numbers: Numbers) -> None:
    """Write the refused rows of a file of numbers beside it, and print where."""
    if content := as_file(numbers, "en"):
        where = beside(file)
        where.write_bytes(content)
        print(texts.say("en", "import.refused_file", file=where))
