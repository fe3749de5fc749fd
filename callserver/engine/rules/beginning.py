"""The rules that a server or a command starts with."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

import structlog

from callserver.database import revisions
from callserver.domain.campaign import Campaign
from callserver.domain.configuration import Configuration, Problem
from callserver.domain.review import Review
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

log = structlog.get_logger(__name__)

Texts = Mapping[str, str]


class Folder(Protocol):
    """The configuration folder (adapters/config_folder.py)."""

    def signature(self) -> object: ...
    def read(self) -> tuple[Configuration, dict[str, str]]: ...
    def compose(self, texts: Texts) -> Configuration | list[Problem]: ...
    def review(self) -> Review | None: ...
    def holds(self, texts: Texts) -> bool: ...
    def write(self, was: Texts, would: Texts) -> None: ...


def beginning(tx: Tx, folder: Folder) -> Configuration:
    """The rules that a server or a command starts with.

    The revision in force; in a new database, and where the kept one cannot be read by this version any
    more, what the folder says.

    Raises:
        ConfigurationProblem: there is no revision in force, and the folder cannot be used.
    """
    kept = revisions.in_force(tx)
    try:
        configuration, _ = folder.read()
    except ConfigurationProblem as problem:
        if kept is None or kept.texts is None:
            raise
        log.error("configuration_refused", kept=kept.hash, why=str(problem))  # noqa: TRY400
    else:
        if kept is None or kept.texts is None or kept.hash == configuration.revision:
            return configuration
    composed = folder.compose(kept.texts)
    if isinstance(composed, Configuration):
        return composed
    log.error("revision_unreadable", revision=kept.hash, why="; ".join(map(str, composed)))
    return folder.read()[0]


def removed(tx: Tx, folder: Folder, names: Collection[str]) -> dict[str, Campaign]:
    """Removed campaigns as the latest revision with them had them, where this version can still read one."""
    found: dict[str, Campaign] = {}
    missing = set(names)
    for texts in revisions.texts_of_all(tx) if missing else ():
        composed = folder.compose(texts)
        if isinstance(composed, Configuration):
            found |= {name: composed.campaigns[name] for name in missing & set(composed.campaigns)}
            missing -= set(found)
        if not missing:
            break
    return found


def shown_since(
    tx: Tx, folder: Folder, since: datetime, known: Collection[str]
) -> dict[str, Campaign]:
    """Numbers that were displayed since then and are none of the known ones, with the campaign that displayed each one
    last, where this version can still read its revision."""
    found: dict[str, Campaign] = {}
    for content, texts in revisions.in_force_since(tx, since):
        shown = {file.get("caller_id") for file in content.values() if isinstance(file, Mapping)}
        if shown <= {None, *known, *found}:
            continue
        composed = folder.compose(texts)
        if isinstance(composed, Configuration):
            for campaign in composed.campaigns.values():
                if campaign.caller_id not in known:
                    found.setdefault(campaign.caller_id, campaign)
    return found
