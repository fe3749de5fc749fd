"""Finds outputs that sort, count or compare phoners by the outcomes of their calls.

What counts as a ranking: docs/decisions/0032. Two equal evenings differ in one thing only: which of
two phoners made the agreements. In what both evenings put out, a phoner's figures and the order of the
phoners must be the same; and no output about several phoners pairs a phoner with an outcome.
"""

import base64
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.staffed import StaffedSystem

OUTCOMES = {
    "member": ("Bliver medlem", "Becomes a member"),
    "no_thanks": ("Nej tak", "No, thank you"),
}
IDENTITY_FIELDS = frozenset({"phoner", "user", "by", "seat", "handle", "name", "colleague", "who"})
CALL_FIELDS = frozenset({"attempt", "call", "call_id"})
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(frozen=True)
class Phoners:
    """The two phoners of an evening: their ids, and the words that name each."""

    ids: Mapping[int, int]  # user id and seat id -> which of the two
    words: Mapping[str, int]

    def named_by(self, field: str, value: Any) -> int | None:
        if field in ("phoner", "user", "by", "seat") and isinstance(value, int | str):
            key = str(value).removeprefix("user:")
            if key.isdecimal():
                return self.ids.get(int(key))
        return self.in_text(value) if field in IDENTITY_FIELDS and isinstance(value, str) else None

    def in_text(self, text: str) -> int | None:
        return next(
            (which for word, which in self.words.items() if re.search(rf"\b{word}\b", text)), None
        )


BOTH = Phoners(
    {1: 1, 2: 2}, {"Phoner 1": 1, "Phoner 2": 2, "p1": 1, "p2": 2, "user:1": 1, "user:2": 2}
)


async def evening(folder: Path, wins: int, calls: int = 3, **settings: Any) -> StaffedSystem:
    """Two phoners with as many calls each; `wins` makes an agreement in every one, the other in none."""
    system = StaffedSystem(folder, phoners=2, **settings)
    for phoner in (1, 2):
        await system.on_shift(phoner)
        await system.ready(phoner)
    for _ in range(calls):
        await system.pass_time(20)
        for leg in system.live_legs():
            system.network.hang_up_by_person(leg)
        await system.pass_time(2)
        for phoner in (1, 2):
            won = phoner == wins
            details = {"amount": 100, "frequency": "monthly"} if won else {}
            status, answer = await system.outcome(
                "member" if won else "no_thanks", details, phoner=phoner
            )
            assert status == 200, answer
    await system.pass_time(20)
    for leg in system.live_legs():
        system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    for phoner in (1, 2):
        await system.outcome("no_thanks", phoner=phoner, then="off")
    await system.pass_time(5)
    return system


# -- what an output says about each phoner -------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One row that names a phoner: its figures, and whether it shows an outcome."""

    phoner: int
    figures: tuple[Any, ...]
    shows_outcome: bool


def rows(output: str, phoners: Phoners = BOTH) -> list[Row]:
    """The rows of an output, in its order: JSON, lines of JSON, an audit export, CSV, or text."""
    text = output.strip().removeprefix("\ufeff")
    try:
        return list(_of_json(json.loads(text), phoners))
    except ValueError:
        return [row for line in _lines(text) for row in _of_line(line, phoners)]


def _lines(text: str) -> Iterator[Any]:
    header = text.partition("\n")[0]
    if ";" in header or ("," in header and "{" not in header):
        yield from csv.DictReader(io.StringIO(text), delimiter=";" if ";" in header else ",")
        return
    for line in text.splitlines():
        _, _, body = line.partition(" ")
        try:
            yield json.loads(base64.b64decode(body, validate=True) if body else line)
        except ValueError:
            try:
                yield json.loads(line)
            except ValueError:
                yield line


def _of_line(line: Any, phoners: Phoners) -> Iterator[Row]:
    if not isinstance(line, str):
        yield from _of_json(line, phoners)
        return
    which = phoners.in_text(line)
    if which is not None:
        without = line
        for word in phoners.words:
            without = without.replace(word, "")
        figures = () if _is_one_call(line) else tuple(_NUMBER.findall(without))
        yield Row(which, figures, _shows_outcome(line))


def _of_json(value: Any, phoners: Phoners) -> Iterator[Row]:
    """Each object that names a phoner, with its values; objects inside it name phoners themselves."""
    if isinstance(value, list):
        for item in value:
            yield from _of_json(item, phoners)
        return
    if not isinstance(value, dict):
        return
    which = _named(value, phoners)
    if which is not None:
        one_call = bool(CALL_FIELDS & set(value))
        figures = () if one_call else tuple(_figures(value, phoners))
        yield Row(which, figures, _shows_outcome(_plain(value)))
    for key, item in value.items():
        for_key = phoners.in_text(str(key)) or _as_id(str(key), phoners)
        if for_key is not None and not isinstance(item, dict | list):
            yield Row(for_key, (_as_number(item),), _shows_outcome(str(item)))
        elif for_key is not None:
            yield Row(for_key, tuple(_figures({"": item}, phoners)), _shows_outcome(_plain(item)))
        yield from _of_json(item, phoners)


def _as_id(key: str, phoners: Phoners) -> int | None:
    """A mapping may have phoners' ids as keys."""
    return phoners.ids.get(int(key)) if key.isdecimal() else None


def _named(value: Mapping[str, Any], phoners: Phoners) -> int | None:
    for key, item in value.items():
        which = phoners.named_by(key, item)
        if which is not None:
            return which
        if isinstance(item, dict) and key in ("seat", "phoner", "user"):
            inner = _named(item, phoners)
            if inner is not None:
                return inner
    return None


def _figures(value: Any, phoners: Phoners) -> Iterator[Any]:
    """Numbers and lengths of lists, without what belongs to one call."""
    if isinstance(value, dict):
        for key, item in sorted(value.items()) if not CALL_FIELDS & set(value) else ():
            if phoners.named_by(key, item) is None and key not in ("id", "phoner", "seat"):
                yield from _figures(item, phoners)
    elif isinstance(value, list):
        yield len(value)
        for item in value:
            if not (isinstance(item, dict) and _named(item, phoners)):
                yield from _figures(item, phoners)
    elif isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        yield value


def _as_number(value: Any) -> Any:
    return value if isinstance(value, int | float) else tuple(_NUMBER.findall(str(value)))


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_one_call(line: str) -> bool:
    return bool(re.search(r"\ba\d+x\d{6}\b", line))


def _shows_outcome(text: str) -> bool:
    words = [word for key, labels in OUTCOMES.items() for word in (key, *labels)]
    return any(re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", text) for word in words)


# -- the verdict -----------------------------------------------------------------------------------


def ranks(first: str, second: str, phoners: Phoners = BOTH) -> str:
    """How an output of the two evenings ranks phoners; empty: it does not."""
    in_first, in_second = rows(first, phoners), rows(second, phoners)
    of_first = [(row.phoner, row.figures) for row in in_first]
    of_second = [(row.phoner, row.figures) for row in in_second]
    if [who for who, _ in of_first] != [who for who, _ in of_second]:
        return f"the order of the phoners follows their outcomes: {of_first} and {of_second}"
    for one, other in zip(of_first, of_second, strict=True):
        if one != other:
            return f"a phoner's figures follow their outcomes: {one} and {other}"
    return pairs(first, phoners) or pairs(second, phoners)


def pairs(output: str, phoners: Phoners = BOTH) -> str:
    """Whether an output shows several phoners beside outcomes; empty: it does not."""
    paired = {row.phoner for row in rows(output, phoners) if row.shows_outcome}
    return "several phoners stand beside outcomes, ready to be counted" if len(paired) > 1 else ""


FIGURE_OF_SUCCESS = re.compile(
    r"agreement|sign_?up|sale|outcome|conversion|amount|hit_?rate|per_hour|rank|score|top|best",
    re.IGNORECASE,
)
NAMES_A_PHONER = re.compile(r"phoner|user|handle|\bseat\b|agent|employee", re.IGNORECASE)


def ranking_fields(name: str, fields: Mapping[str, Any]) -> Sequence[str]:
    """Fields of a model that names a phoner which could hold a figure of their outcomes."""
    if not any(NAMES_A_PHONER.search(field) for field in (*fields, name)):
        return ()
    return [
        f"{name}.{field}"
        for field, kind in fields.items()
        if FIGURE_OF_SUCCESS.search(field) and re.search(r"integer|number", str(kind))
    ]
