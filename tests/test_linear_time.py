"""Four times the input costs about four times the time: every pattern and every reader of the packages.

A quadratic one lets a single cell, number or header stop the server. Patterns are found, not listed:
compiled ones in the modules, and those that the source hands to `re` where it uses them. Times are the
processor's, the least of several runs.
"""

import ast
import gc
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from re import _constants as codes
from re import _parser as parser
from types import ModuleType
from typing import Any

import pytest

import callserver
import webhooks
from callserver import log
from callserver.adapters import yaml_files
from callserver.adapters.asterisk import channel_names as asterisk_names
from callserver.adapters.asterisk import inbound_callers
from callserver.console import markup
from callserver.console.lists import views as lists_views
from callserver.console.rules import views as rules_views
from callserver.domain import (
    addresses,
    audit,
    contact,
    countries,
    dates,
    headings,
    hours,
    notice,
    numbers_in_text,
    opt_out_cells,
    opt_out_phrases,
    phone,
    sheet,
    spreadsheet_marks,
    subject,
    text_encoding,
)
from callserver.engine.lists import number_files
from callserver.errors import CallserverError
from webhooks import signature, status_reports

SHORT, LONG = 10_000, 40_000
MOST = 8.0
"""How many times as long the long input may take: 4 is linear, 16 quadratic."""

FREE = 0.004
"""Seconds for the long input below which nobody waits, and the clock shows little but noise."""


def modules() -> Iterator[ModuleType]:
    for package in (callserver, webhooks):
        yield package
        for module_info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module_info.name.endswith("__main__") and ".migrations." not in module_info.name:
                yield importlib.import_module(module_info.name)


def patterns_in(value: Any, depth: int = 3) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth == 0:
        return
    elif isinstance(value, dict):
        for part in [*value, *value.values()]:
            yield from patterns_in(part, depth - 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from patterns_in(item, depth - 1)
    elif isinstance(value, type) and value.__module__.startswith(("callserver", "webhooks")):
        for attribute in vars(value).values():
            if not isinstance(attribute, type):
                yield from patterns_in(attribute, depth - 1)


def text_of(node: ast.expr, names: dict[str, Any]) -> str | None:
    """A pattern written where it is used; of a field in it, one letter stands for whatever comes."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if isinstance(names.get(name), str):
            return str(names[name])
        case ast.JoinedStr(values=parts):
            return "".join(
                str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts
            )
    return None


@cache
def attributes(module: ModuleType) -> list[ast.Call | ast.Attribute]:
    """The calls and attributes of the module's source; none where it cannot use a pattern."""
    source = Path(str(module.__file__)).read_text()
    if not USES.search(source):
        return []
    return [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call | ast.Attribute)
    ]


def written(module: ModuleType) -> Iterator[tuple[str, bool]]:
    """Patterns that the module's source hands to a function of `re`, and whether that searches."""
    for node in attributes(module):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name), args=[first, *_]):
                text = text_of(first, vars(module))
                if name not in ("escape", "compile") and text is not None:
                    yield text, name in SEARCHING


SEARCHING = {"search", "sub", "subn", "findall", "finditer", "split"}
USES = re.compile(rf"\bre\s*\.|\.\s*({'|'.join(SEARCHING)})\b")
Found = dict[tuple[str, int], tuple[re.Pattern[str], bool]]


def searched_names() -> set[str]:
    """The names of patterns that are looked for at every place of a text; others only match."""
    names = set()
    for module in modules():
        for node in attributes(module):
            match node:
                case ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=does):
                    if does in SEARCHING:
                        names.add(name)
    return names


def found_patterns() -> Found:
    """Every pattern, and whether it is searched for. One in a collection may be."""
    searched, collected = searched_names(), Found()
    for module in modules():
        for name, member in vars(module).items():
            for pattern in patterns_in(member):
                if isinstance(pattern.pattern, str):
                    key = pattern.pattern, pattern.flags
                    search = (
                        name in searched
                        or member is not pattern
                        or (key in collected and collected[key][1])
                    )
                    collected[key] = pattern, search
        for text, search in written(module):
            pattern = re.compile(text)
            key = pattern.pattern, pattern.flags
            collected[key] = pattern, search or (key in collected and collected[key][1])
    for pattern in patterns_in(yaml_files.Loader.yaml_implicit_resolvers):  # YAML's reader matches
        collected[pattern.pattern, pattern.flags] = pattern, False
    return collected


CATEGORIES = {
    codes.CATEGORY_DIGIT: "7",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_WORD: "w",
    codes.CATEGORY_NOT_DIGIT: "d",
    codes.CATEGORY_NOT_SPACE: "s",
    codes.CATEGORY_NOT_WORD: "!",
}


def letters(parsed: Any) -> Iterator[str]:
    """A letter for each part of a pattern."""
    for part in parsed:
        match part:
            case parser.SubPattern() | list():
                yield from letters(part)
            case (codes.LITERAL | codes.NOT_LITERAL, int(code)):
                yield chr(code)
            case (codes.RANGE, (int(first), int(last))):
                yield from (chr(first), chr(last))
            case (codes.CATEGORY, category):
                yield CATEGORIES[category]
            case tuple():
                yield from letters(part)
            case _:
                pass


def seconds(work: Callable[[], object]) -> float:
    gc.disable()
    try:
        began = time.process_time()
        work()
        return time.process_time() - began
    finally:
        gc.enable()


def growth(work: Callable[[str], object], text: Callable[[int], str]) -> float:
    """How many times as long the long input takes; 0 when it takes no time to speak of."""
    long, short = text(LONG), text(SHORT)
    # Nothing to wait for, even if it is quadratic.
    if seconds(lambda: work(short)) * (LONG / SHORT) ** 2 < FREE:
        return 0
    slow = []
    for _ in range(25):  # a busy machine is slow for seconds; what is quadratic always is
        shortest = min(seconds(lambda: work(short)) for _ in range(3))
        slow.append(seconds(lambda: work(long)) / shortest)
        if slow[-1] < MOST:
            break
        time.sleep(0.2)
    return min(slow)


def repeated(unit: str, size: int, end: str = "") -> str:
    return unit * (size // len(unit)) + end


def texts_of(alphabet: set[str]) -> Iterator[tuple[str, Callable[[int], str]]]:
    """Each letter repeated, alone, and with something at the end that matches nothing."""
    for character in sorted(alphabet):
        yield repr(character), partial(repeated, character)
        yield f"{character!r} and an end", partial(repeated, character, end="\x01")
        if character != "7":
            yield f"{character!r} and 7", partial(repeated, character + "7")


PATTERNS = found_patterns()


def test_the_patterns_are_found() -> None:
    known = [sheet.GUARDED, log.NUMBER, audit.NUMBER, inbound_callers.DIGITS]
    assert {(pattern.pattern, pattern.flags) for pattern in known} <= set(PATTERNS)
    assert len(PATTERNS) > 30
    assert len([pattern for pattern, is_searched in PATTERNS.values() if is_searched]) > 10


@pytest.mark.parametrize(
    ("pattern", "is_searched"), PATTERNS.values(), ids=[pattern[0][:40] for pattern in PATTERNS]
)
def test_a_pattern_takes_linear_time(pattern: re.Pattern[str], is_searched: bool) -> None:
    alphabet = set(letters(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)))
    for name, text in texts_of(alphabet):
        for ask in (pattern.match, pattern.fullmatch, pattern.search):
            if ask == pattern.search and not is_searched:
                continue
            assert growth(ask, text) < MOST, f"{ask.__name__} of {name}"


def rows_of(raw: str) -> object:
    return list(sheet.Sheet(raw.encode()).rows())


def merged_rows(count: int) -> object:
    """Each merge reaches from the first row further down."""
    marks = spreadsheet_marks.Marks(merged=[(0, last) for last in range(count)])
    return marks.merged_rows(set(range(count)))


@cache
def remembered() -> set[Any]:
    """Functions that remember their last answers: the second time would show nothing."""
    cached: Any = type(attributes)
    members = (member for module in modules() for member in vars(module).values())
    return {
        member
        for member in members
        if isinstance(member, cached) and member.cache_parameters()["maxsize"]
    }


def quietly(work: Callable[[str], object]) -> Callable[[str], object]:
    def does(text: str) -> object:
        for function in remembered():
            function.cache_clear()
        try:
            return work(text)
        except (ValueError, CallserverError):
            return None

    return does


READERS: dict[str, Callable[[str], object]] = {
    "a sheet": rows_of,
    "a sheet's cell": lambda text: rows_of(f"a;b\n1;{text}\n"),
    "a sheet's quoted cell": lambda text: rows_of(f'a;b\n1;"{text}"\n2;x\n'),
    "a sheet's rows": lambda text: rows_of("a;b\n" + f"{text[:40]}\n" * (len(text) // 40)),
    "a sheet's torn rows": lambda text: rows_of("a;b\n" + f'"{text[:40]}\n' * (len(text) // 40)),
    "a sheet's title": lambda text: rows_of(f"{text}\nNavn;Telefon;Note\n1;2;3\n"),
    "a text's encoding": lambda text: text_encoding.read(f"{text}\u00f8".encode("windows-1252")),
    "merged cells": lambda text: merged_rows(len(text) // 4),
    "a damaged word": opt_out_phrases.says_no,
    "a heading": lambda text: headings.map_columns([text, "phone"], {}),
    "a file of numbers": lambda text: number_files.read(text.encode()),
    "a number in a file": lambda text: number_files.read(f"phone\n{text}\n".encode()),
    "a number": phone.parse,
    "numbers in a cell": numbers_in_text.read,
    "a number in a notice": numbers_in_text.may_hold_number,
    "a search in notices": notice.words_of,
    "a country": countries.region,
    "a word against calling": lambda text: opt_out_cells.read("do_not_call", text),
    "an address": addresses.is_no_address,
    "an address of nobody": addresses.is_no_household,
    "a household's name": addresses.is_no_household_name,
    "a date": lambda text: dates.parse_date(text, 2026),
    "a fold": subject.fold,
    "a row": lambda text: contact.Reader(
        ["phone", "navn", "born", "member", "address", "zone"],
        headings.map_columns(["phone", "navn", "born", "member", "address", "zone"], {}),
        "DK",
        None,
    ).read([[text] * 6]),
    "a preview's samples": lambda text: lists_views.samples([[text]], 0),
    "a zone": lambda text: hours.place_of("+4532123456", text),
    "words for the log": audit.may_be_kept,
    "a guarded cell": lambda text: sheet.unguarded(sheet.guarded(text)),
    "a name on the exchange": asterisk_names.seat_of_leg,
    "a line on the exchange": asterisk_names.endpoint,
    "a value in a script": lambda text: markup.merged("{name}", {"name": text}, "?"),
    "a sentence": lambda text: markup.filled(text, {}, "?"),
    "a log line": log.hidden,
    "a webhook's form": lambda text: signature.parse(text.encode()),
    "a webhook's field": lambda text: signature.parse(f"From={text}".encode()),
    "a webhook's time": lambda text: status_reports.at({"Timestamp": [text]}),
    "a webhook's number": lambda text: status_reports.receipt(
        {"SequenceNumber": [text], "CallSid": ["CA1"]}, "call", "CallSid"
    ),
}
SIGNS = set("07aA+-. ()/,;:'\"=@\t\r\n\x00xæ\u00a0\u2013{}[]&<>%#_")


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_linear_time(name: str) -> None:
    work = quietly(READERS[name])
    for what, text in texts_of(SIGNS):
        assert growth(work, text) < MOST, what


@pytest.mark.parametrize("alike", [True, False])
def test_a_changed_rules_file_is_compared_in_linear_time(*, alike: bool) -> None:
    """All lines are alike, or every second one is another."""

    def compare(text: str) -> object:
        was = ["x" if alike else str(at) for at in range(len(text))]
        would = ["y" if at % 2 else line for at, line in enumerate(was)]
        return rules_views.diff({"a": "\n".join(was)}, {"a": "\n".join(would)})

    assert growth(compare, lambda size: "x" * (size // 4)) < MOST
