"""`callserver audit publish` and `prove`: the log in the form that other people's tools read."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from callserver.cli import resources
from callserver.database.engines import reading
from callserver.engine.audit_log.published_log import PublishedLog, proof_text
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import load_key
from callserver.engine.audit_log.verification import read_key
from callserver.settings import Settings, log_origin, published_folder

Folder = Annotated[
    Path | None, typer.Option("--from", help="the published log; by default the settings' folder")
]


def register(group: typer.Typer) -> None:
    group.command()(publish)
    group.command()(prove)


def publish(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="by default the settings' folder")
    ] = None,
) -> None:
    """Publish the sealed log into a folder, or extend what the folder holds.

    The folder has the log's key (vkey), the signed checkpoint, and tiles with the hashes and the entries.
    docs/verifying.md describes them; tools for transparency logs (C2SP tlog-tiles) read them. A server
    does this by itself, into the folder CALLSERVER_PUBLISHED.

    Example: callserver audit publish /srv/log
    """
    settings = resources.settings()
    chosen = folder or published_folder(settings)
    key = load_key(settings.seal_key)
    publisher = Publisher(chosen, log_origin(settings), key)
    with resources.database(settings) as engine, reading(engine) as connection:
        checkpoint = publisher.publish(connection)
    if checkpoint is None:
        print("nothing is sealed yet: a running server seals every few seconds")
    else:
        print(f"{checkpoint.origin}: {checkpoint.size} entries in {chosen}")


def prove(
    entry: Annotated[int, typer.Argument(help="the entry's number in the log, counted from 0")],
    file: Annotated[Path | None, typer.Argument(help="by default the terminal")] = None,
    folder: Folder = None,
) -> None:
    """Write the proof that a published entry is in the log: a .tlog-proof.

    With the proof, the entry's bytes and the log's key (vkey) anybody can verify it, without this program.
    The log page and `callserver audit export` say an entry's number.

    Example: callserver audit prove 4711 entry-4711.tlog-proof
    """
    published = opened(resources.settings(), folder)
    checkpoint, note = published.published()
    text = proof_text(entry, published.inclusion(entry, checkpoint), note)
    with contextlib.ExitStack() as stack:
        out = sys.stdout if file is None else stack.enter_context(file.open("w", encoding="utf-8"))
        out.write(text)


def opened(settings: Settings, folder: Path | None) -> PublishedLog:
    """The published log, for reading: without the secret key."""
    public = read_key(settings.seal_key.with_suffix(".pub"))
    return PublishedLog(folder or published_folder(settings), log_origin(settings), public)
