"""`callserver audit publish` and `prove`: the log in the form that other people's tools read.

Each imports what it works with itself: `audit show` and `audit verify` need none of it.
"""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.cli.counting import counted
from callserver.database.engines import reading
from callserver.errors import NotFound
from callserver.settings import published_folder

Folder = Annotated[
    Path | None, typer.Option("--from", help="the published log; by default the settings' folder")
]


def register(group: typer.Typer) -> None:
    group.command()(publish)
    group.command()(prove)
    group.command()(receipt)


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
    from callserver.engine.audit_log.published_log import origin_of
    from callserver.engine.audit_log.publishing import Publisher
    from callserver.engine.audit_log.sealing import load_key

    settings = resources.settings()
    chosen = folder or published_folder(settings)
    key = load_key(settings.seal_key)
    publisher = Publisher(chosen, origin_of(settings, chosen), key)
    with resources.database(settings, any_state=True) as engine, reading(engine) as connection:
        checkpoint = publisher.publish(connection)
    if checkpoint is None:
        print("nothing is sealed yet: a running server seals every few seconds")
    else:
        print(f"{checkpoint.origin}: {counted(checkpoint.size, 'entry', 'entries')} in {chosen}")


def prove(
    entry: Annotated[int, typer.Argument(help="the entry's number in the log, counted from 0")],
    file: Annotated[Path | None, typer.Argument(help="by default the terminal")] = None,
    folder: Folder = None,
) -> None:
    """Write the proof that a published entry is in the log: a .tlog-proof.

    With the proof, the entry's bytes and the log's key (vkey) anybody can verify it, without this program.
    The log page and `callserver audit export` show an entry's number.

    Example: callserver audit prove 4711 entry-4711.tlog-proof
    """
    from callserver.engine.audit_log import receipts
    from callserver.engine.audit_log.published_log import proof_text

    published = receipts.opened(resources.settings(), folder)
    checkpoint, note = published.published()
    text = proof_text(entry, published.inclusion(entry, checkpoint), note)
    with contextlib.ExitStack() as stack:
        out = (
            resources.data_output()
            if file is None
            else stack.enter_context(file.open("w", encoding="utf-8"))
        )
        out.write(text)


def receipt(
    number: Annotated[str, typer.Argument(help="the telephone number, as people write it")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where the files are written")],
    language: Annotated[
        str, typer.Option(help="da or en: the person's language", callback=resources.known_language)
    ] = "da",
    by: InWords = BY_COMMAND,
) -> None:
    """Write receipts for the opt-outs of a number: for each a short text and a proof, for the person.

    The proof shows anybody with the log's key that the request is in the log. It holds no name and no
    number. Opt-outs of an imported list have no receipts: one entry of the log is about the whole list.

    Example: callserver audit receipt 32123456 receipts --language en
    """
    from callserver.database import suppressions
    from callserver.domain import subject
    from callserver.engine.audit_log import receipts
    from callserver.engine.identity import known_at
    from callserver.engine.reporting import receipt_files

    key, settings = resources.phone_number(number), resources.settings()
    published = receipts.opened(settings)
    folder.mkdir(parents=True, exist_ok=True)  # first, because the log says that receipts were made
    with resources.database(settings) as engine, engine.begin() as tx:
        secret = resources.secret(settings)
        about = subject.everyone_at(key, known_at.everybody(tx, key), secret)
        rows = [row for row in suppressions.on_record(tx, about) if row.list is None]
        if not rows:
            raise NotFound("the log has no entry about an opt-out of this number alone")
        made = [receipts.of_opt_out(tx, published, row) for row in rows]
        for row in rows:
            receipts.record(tx, row.id, by, resources.now(tx))
    for receipt in made:
        for name, content in receipt_files.files(receipt, language).items():
            (folder / name).write_text(content, "utf-8")
            print(folder / name)
