"""`callserver audit`: verify, export, show and publish the log."""

import base64
import contextlib
import json
import sys
from array import array
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from callserver.cli import audit_carrier, audit_judging, audit_publishing, resources
from callserver.cli.counting import counted
from callserver.database import audit, calls, contacts, entries_naming, look_ups, pseudonymous_keys
from callserver.database.engines import reading
from callserver.domain import subject
from callserver.errors import ConfigurationProblem, NotFound

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="The audit log: verify, show, export, publish, prove, judge, behaviour, reconcile, compare.",
        no_args_is_help=True,
    )
    group.command()(verify)
    group.command()(export)
    group.command()(show)
    audit_publishing.register(group)
    audit_judging.register(group)
    audit_carrier.register(group)
    app.add_typer(group, name="audit")


def verify(
    file: Annotated[Path | None, typer.Argument(help="an export; without it, the database")] = None,
    seals: Annotated[Path | None, typer.Option(help="the heads file")] = None,
    key: Annotated[Path | None, typer.Option(help="the public key (seal.pub)")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="instead of the database: a published log")
    ] = None,
) -> None:
    """Check every entry against the signed heads.

    Names every change; exit code 1 if there is one. An export is verified with the heads file and the
    public key only, a published log with the public key only: without database and secrets.

    Example: callserver audit verify
    """
    # Here, because `show` needs nothing of it.
    from callserver.engine.audit_log import verification
    from callserver.engine.audit_log.verification import read_key

    settings = resources.settings()
    if folder is not None:
        _verify_published(folder, read_key(key or settings.seal_key.with_suffix(".pub")))
        return
    heads_file = seals or settings.seals
    public = read_key(key or settings.seal_key.with_suffix(".pub"))
    if file is not None:
        result = verification.verify_export(_exported(file), heads_file, public)
    else:
        with resources.database(settings, any_state=True) as engine, reading(engine) as connection:
            result = verification.verify(connection, heads_file, public)
    for finding in result.findings:
        print(finding)
    print(
        f"{counted(result.sealed, 'sealed entry', 'sealed entries')}, {result.unsealed} not sealed yet, "
        f"{counted(len(result.findings), 'finding')}"
    )
    if result.findings:
        raise typer.Exit(1)


def _verify_published(folder: Path, public: "Ed25519PublicKey") -> None:
    """Every file of a published log against its checkpoint."""
    from callserver.domain import signed_note
    from callserver.engine.audit_log import published_check
    from callserver.engine.audit_log.published_log import PublishedLog

    try:
        name = signed_note.parse_key((folder / "vkey").read_text("ascii")).name
    except (OSError, ValueError) as error:
        raise ConfigurationProblem(f"{folder}/vkey: {error}") from None
    count, wrong = published_check.check(PublishedLog(folder, name, public))
    for what in wrong:
        print(what)
    print(
        f"{counted(count, 'published entry', 'published entries')}, {counted(len(wrong), 'finding')}"
    )
    if wrong:
        raise typer.Exit(1)


def _exported(path: Path) -> Iterator[tuple[int | None, bytes]]:
    """An export's entries by their numbers: each line has the leaf number, a blank, the bytes in base64."""
    with path.open("rb") as file:
        for number, line in _in_order(path, file):
            leaf, _, body = line.strip().partition(b" ")
            try:
                yield (None if leaf == b"-" else int(leaf)), base64.b64decode(body, validate=True)
            except ValueError:
                raise _no_entry(path, number) from None


def _in_order(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines in the order of their leaf numbers; they are sorted only if somebody moved some."""
    if all(one <= other for one, other in pairwise(_leaves(path, file))):
        file.seek(0)
        yield from enumerate(file, 1)
        return
    file.seek(0)
    leaves = array("q", _leaves(path, file))
    file.seek(0)
    places = array("q", accumulate(map(len, file), initial=0))
    for at in sorted(range(len(leaves)), key=leaves.__getitem__):
        file.seek(places[at])
        yield at + 1, file.readline()


def _leaves(path: Path, file: BinaryIO) -> Iterator[int]:
    """Each line's leaf number, a large one for those that are not sealed."""
    for number, line in enumerate(file, 1):
        leaf = line.split(b" ", 1)[0]
        try:
            read = _NOT_SEALED if leaf == b"-" else int(leaf)
        except ValueError:
            raise _no_entry(path, number) from None
        if abs(read) > _NOT_SEALED:
            raise _no_entry(path, number)
        yield read


_NOT_SEALED = (1 << 63) - 1


def _no_entry(path: Path, number: int) -> ConfigurationProblem:
    return ConfigurationProblem(f"{path}:{number}: this is not an entry")


def export(
    file: Annotated[Path | None, typer.Argument(help="the file; by default the terminal")] = None,
) -> None:
    """Write the whole log: one entry per line, its leaf number (- when unsealed) and bytes in base64.

    Example: callserver audit export log.txt
    """
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(
            reading(stack.enter_context(resources.database(any_state=True)))
        )
        out = sys.stdout.buffer if file is None else stack.enter_context(file.open("wb"))
        for leaf, body in audit.entries(connection):
            number = b"-" if leaf is None else str(leaf).encode()
            out.write(number + b" " + base64.b64encode(body) + b"\n")


def show(
    contact: Annotated[int | None, typer.Option(help="a contact's id")] = None,
    number: Annotated[str | None, typer.Option(help="a telephone number")] = None,
    call: Annotated[str | None, typer.Option(help="an attempt's id")] = None,
) -> None:
    """Show the entries about a contact, a number or a call, oldest first, one JSON object per line.

    About a number: of everybody who is known at it now, of calls to it that were on no list, and whatever
    names it by its pseudonymous key. For these all refusals, opt-outs, marks and cases are looked through,
    and the permits of calls whose number was forgotten: 200,000 in a fifth of a second.

    Example: callserver audit show --number 32123456
    """
    if sum(given is not None for given in (contact, number, call)) != 1:
        raise ConfigurationProblem("choose one: --contact ID, --number NUMBER or --call ATTEMPT")
    with resources.database() as engine, reading(engine) as connection:
        if call is not None:
            entries = audit.about(connection, call=call)
        elif contact is not None:
            entries = look_ups.entries_about(connection, contact)
        else:
            key = resources.phone_number(number or "")
            entries = [
                entry
                for contact in contacts.by_number(connection, key)
                for entry in look_ups.entries_about(connection, contact.id)
            ]
            for attempt in calls.without_contact(connection, key):
                entries += audit.about(connection, call=attempt)
            if named := pseudonymous_keys.key_of(connection, subject.of_number(key)):
                entries += entries_naming.naming(connection, key, named)
        unique = {entry["id"]: entry for entry in entries}
        if not unique:
            about = "call" if call is not None else "contact" if contact is not None else "number"
            raise NotFound(f"the log has no entry about this {about}")
        for entry in sorted(unique.values(), key=lambda entry: entry["id"]):
            print(json.dumps(entry, ensure_ascii=False))
