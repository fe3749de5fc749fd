"""The file of refused rows beside the file that was read. One that is there may hold corrections, and stays."""

from itertools import count
from pathlib import Path

from callserver import texts
from callserver.engine.lists.number_files import Numbers
from callserver.engine.lists.refused_rows import as_file


def keep(file: Path, content: bytes) -> Path:
    """Write the refused rows of a file beside it. Returns where: in a new file, unless one holds just this."""
    for number in count(1):
        where = file.with_name(f"{file.name}.refused{'' if number == 1 else f'-{number}'}.csv")
        try:
            with where.open("xb") as new:
                new.write(content)
        except FileExistsError:
            if where.is_file() and where.read_bytes() == content:
                break
        else:
            break
    return where


def write(file: Path, numbers: Numbers) -> None:
    """Write the refused rows of a file of numbers beside it, and print where."""
    if content := as_file(numbers, "en"):
        print(texts.say("en", "import.refused_file", file=keep(file, content)))
