"""`callserver audit decisions`, `judge` and `behaviour`: decisions with their facts, recomputed by anybody,
and whether the log is that of a server that behaves as specified.

Each imports what it works with itself: `audit show` and `audit verify` need none of it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.cli import resources
from callserver.cli.counting import counted
from callserver.database.engines import snapshot
from callserver.errors import ConfigurationProblem

if TYPE_CHECKING:
    from callserver.domain.signed_note import VerifierKey


def register(group: typer.Typer) -> None:
    group.command()(decisions)
    group.command()(judge)
    group.command()(behaviour)
    group.command()(reconcile)


def decisions(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where the files are written")],
    withhold: Annotated[
        str, typer.Option(help="fields that stay closed, separated by commas: num,dob")
    ] = "",
) -> None:
    """Export every dial decision with its facts, beside the published log.

    With `--withhold num,dob` the files name nobody's number and date of birth, and every decision can
    still be recomputed. docs/verifying.md describes the files.

    Example: callserver audit decisions --withhold num,dob /srv/decisions
    """
    from callserver.domain.retention import RetentionClass
    from callserver.engine.audit_log import decision_export
    from callserver.engine.audit_log.published_log import origin_of
    from callserver.engine.audit_log.publishing import Publisher
    from callserver.engine.audit_log.sealing import load_key

    settings = resources.settings()
    names = [name.strip() for name in withhold.split(",") if name.strip()]
    decision_export.check_fields(names)
    publisher = Publisher(folder, origin_of(settings, folder), load_key(settings.seal_key))
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings).current.organisation.retention
        with snapshot(engine) as connection:
            published = publisher.publish(connection)
            if published is None:
                print("nothing is sealed yet: a running server seals every few seconds")
                raise typer.Exit(1)
            kept_since = rules.before(RetentionClass.DECISIONS, resources.now(connection))
            count = decision_export.write(connection, folder, published.size, names, kept_since)
    print(
        f"{counted(count, 'decision')} among {counted(published.size, 'entry', 'entries')} in {folder}"
    )


def reconcile() -> None:
    """Compare opt-outs, marks, calls and roles with what the log says, row by row.

    Names every row that somebody changed without an entry; exit code 1 if there is one. Verify the log
    as well: this compares with the entries as they are.

    Example: callserver audit reconcile
    """
    from callserver.engine.audit_log import reconciliation

    with resources.database() as engine:
        with snapshot(engine) as tx:
            result = reconciliation.reconcile(tx)
        with engine.begin() as tx:
            reconciliation.record(tx, result, "command", resources.now(tx))
    for difference in result.named:
        print(difference)
    counts = ", ".join(f"{count} {table}" for table, count in sorted(result.counts.items()))
    print(f"{counts or 'nothing'} compared; {counted(result.different, 'difference')}")
    for table, count in sorted(result.before.items()):
        print(f"{count} {table} are older than what the log says of them")
    if result.different:
        raise typer.Exit(1)


Vkey = Annotated[
    Path | None, typer.Option(help="the log's public key, got elsewhere; by default DIR/vkey")
]


def _key(path: Path | None) -> "VerifierKey | None":
    if path is None:
        return None
    from callserver.domain import signed_note

    try:
        return signed_note.parse_key(path.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise ConfigurationProblem(f"{path}: {error}") from None


def behaviour(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the published log")],
    vkey: Vkey = None,
) -> None:
    """Check a published log against the specification of seats, contacts, opt-outs, calls and network.

    Reads the folder alone: without database, settings and secrets. Names each entry that a server which
    behaves as specified would not have written, and the rule that it breaks. Exit code 1 if there is one.

    Example: callserver audit behaviour /srv/log
    """
    from callserver.engine.audit_log.behaviour import check

    result = check(folder, _key(vkey))
    for violation in result.violations:
        print(violation)
    for what in result.damage:
        print(what)
    permits, seats = result.counts["permitted"], result.counts["seat"]
    verdict = "accepted" if result.accepted else "rejected"
    print(
        f"{verdict}: {counted(result.counts.total(), 'entry', 'entries')},"
        f" {counted(permits, 'permit')}, {counted(seats, 'move')} of seats,"
        f" {counted(len(result.violations), 'violation')};"
        f" {counted(result.open, 'thing is', 'things are')} not over yet at the log's end"
    )
    if not result.accepted:
        raise typer.Exit(1)


def judge(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="what `audit decisions` wrote")],
    vkey: Vkey = None,
) -> None:
    """Recompute every decision of an export, without a database and without secrets.

    Names what is wrong: a dial without a permit, a permit that the facts do not allow, a refusal with
    other reasons, an opt-out that disappeared, an outcome that differs from the log. Exit code 1 if
    there is something.

    Example: callserver audit judge /srv/decisions
    """
    from callserver.engine.audit_log import judge as judging

    result = judging.judge(folder, _key(vkey))
    for finding in result.findings:
        print(finding)
    counts = result.counts
    print(
        f"{counted(counts['entries'], 'entry', 'entries')}, {counted(counts['permitted'], 'permit')},"
        f" {counted(counts['refused'], 'refusal')}:"
        f" {counts['judged']} judged, {counts['unknown']} with fields unknown,"
        f" {counts['erased']} erased, {counts['expired']} expired,"
        f" {counts['before']} before commitments; {counted(len(result.findings), 'finding')}"
    )
    if counts["restored"]:
        print(
            f"{counted(counts['restored'], 'backup was', 'backups were')} put back: what was recorded after each is gone"
        )
    if counts["unsealed"]:
        print(
            f"{counted(counts['unsealed'], 'call has', 'calls have')} newer entries, which the next export must seal"
        )
    for name, count in result.unknown.most_common():
        print(f"{name} is withheld in {count}")
    if result.findings:
        raise typer.Exit(1)
