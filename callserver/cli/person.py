"""`callserver person`: records facts about a person that were learned outside a call."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from callserver import texts
from callserver.adapters.messages import MessageFolder
from callserver.adapters.uploads import Uploads
from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords, Why, user_named
from callserver.database import messages
from callserver.domain.marks import ABOUT_THE_NUMBER, MarkKind
from callserver.engine.audit_log import receipts
from callserver.engine.outcomes import undone_agreements
from callserver.engine.reporting import person_copy, person_copy_page, person_record
from callserver.engine.suppressions import erasure, mark_undo, person_facts
from callserver.engine.suppressions.person_facts import Fact
from callserver.errors import ConfigurationProblem, NotFound
from callserver.settings import instant

Number = Annotated[str, typer.Argument(help="the telephone number, as people write it")]
ContactId = Annotated[
    int | None,
    typer.Option(help="which contact, where several people are known at the number or had it"),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Record what was learned about a person outside a call.", no_args_is_help=True
    )
    group.command("consent")(consent)
    group.command("revoke")(revoke)
    group.command("guardian")(guardian)
    group.command("deceased")(deceased)
    group.command("vulnerable")(vulnerable)
    group.command("wrong-number")(wrong_number)
    group.command("misinformed")(misinformed)
    group.command("erase")(erase)
    group.command("undo")(undo)
    group.command("access")(access)
    app.add_typer(group, name="person")


def consent(
    number: Number,
    at: Annotated[str, typer.Option(help="when the person agreed (ISO 8601)")],
    proof: Annotated[str | None, typer.Option(help="where the proof is kept")] = None,
    not_for_telephone: Annotated[
        bool, typer.Option("--not-for-telephone", help="the consent covers letters only")
    ] = False,
    contact: ContactId = None,
    by: InWords = BY_COMMAND,
) -> None:
    """Record that a person has agreed to be called. It lifts no opt-out (see suppress lift).

    Example: callserver person consent 32123456 --at 2026-05-01T12:00+02:00 --proof 'form 7'
    """
    if proof is not None and not 0 < len(proof.strip()) <= 200:
        raise ConfigurationProblem("--proof: a few words, 200 letters at most")
    key, when = resources.phone_number(number), instant("--at", at)
    with resources.database() as engine, engine.begin() as tx:
        known = person_facts.find(tx, key, contact, formerly=False)
        reopened = person_facts.consent(
            tx,
            key,
            known,
            by,
            resources.now(tx),
            at=when,
            telephone=not not_for_telephone,
            proof=proof,
        )
    print(f"recorded; contacts that are dialed again: {len(reopened)}")


def revoke(number: Number, contact: ContactId = None, by: InWords = BY_COMMAND) -> None:
    """Record that a person has taken their consent back: no more calls, at once.

    Example: callserver person revoke 32123456
    """
    _note(number, contact, Fact.CONSENT_REVOKED, by)


def guardian(number: Number, contact: ContactId = None, by: InWords = BY_COMMAND) -> None:
    """Record that a person has a guardian and cannot enter into agreements: no more calls, at once.

    Example: callserver person guardian 32123456
    """
    _note(number, contact, Fact.GUARDIAN, by)


def deceased(number: Number, contact: ContactId = None, by: InWords = BY_COMMAND) -> None:
    """Record that a person has died: no more calls, at once.

    Example: callserver person deceased 32123456
    """
    _note(number, contact, Fact.DECEASED, by)


def vulnerable(number: Number, contact: ContactId = None, by: InWords = BY_COMMAND) -> None:
    """Record that a person is vulnerable and is to be left in peace: no more calls, at once.

    Example: callserver person vulnerable 32123456
    """
    _note(number, contact, Fact.VULNERABLE, by)


def wrong_number(number: Number, contact: ContactId = None, by: InWords = BY_COMMAND) -> None:
    """Record that a number is somebody else's: no more calls to it, at once.

    Example: callserver person wrong-number 32123456
    """
    _note(number, contact, Fact.REASSIGNED, by)


def misinformed(
    number: Number,
    words: Annotated[str, typer.Option(help="what the person was told", show_default=False)] = "",
    contact: ContactId = None,
    by: InWords = BY_COMMAND,
) -> None:
    """Undo a person's latest agreement, based on wrong information: a complaint is opened, no more calls.

    `callserver export outcomes` shows when an agreement was undone.

    Example: callserver person misinformed 32123456 --words 'told that it was free'
    """
    settings = resources.settings()
    key = resources.phone_number(number)
    with resources.database(settings) as engine:
        rules, secret = resources.rules(engine, settings), resources.secret(settings)
        with engine.begin() as tx:
            known = person_facts.find(tx, key, contact)
            undo = partial(undone_agreements.undo, tx, rules, secret, known)
            case = undo(number=key, words=words, by=by, now=resources.now(tx))
    print(f"undone; case {case.id}")


def erase(number: Number, contact: ContactId = None, by: InWords = BY_COMMAND) -> None:
    """Forget everything about a person, except what keeps them from being called again.

    What remains is printed. On SQLite the bytes leave the files at once, or within the hour while a
    server runs.

    Example: callserver person erase 32123456
    """
    settings = resources.settings()
    key = resources.phone_number(number)
    with resources.database(settings) as engine, engine.begin() as tx:
        known = person_facts.find(tx, key, contact)
        secret = resources.secret(settings)
        erased = erasure.erase(tx, key, known, secret, by, resources.now(tx))
        files = MessageFolder(settings.messages)
        forgotten = messages.forgotten(tx, files.keys())
    Uploads(settings.uploads).drop_containing_now(erased.words)
    files.drop(forgotten)
    print(f"erased; contacts: {len(erased.contacts)}, calls: {erased.calls}")
    for what in erasure.REMAINS:
        print("kept: " + texts.say("en", f"erased.{what}"))


def undo(
    number: Number,
    mark: Annotated[MarkKind, typer.Argument(help="what was noted by mistake")],
    why: Why,
    by: Annotated[str, typer.Option(help="the user who undoes it, by user name")],
    contact: ContactId = None,
) -> None:
    """Undo a mark that was noted by mistake: reassigned, bad_number, deceased, vulnerable or guardian.

    The mark stays on record with its end. Contacts that it closed are dialed again if the rules allow it.

    Example: callserver person undo 32123456 deceased --why 'wrong person marked' --by mads
    """
    settings = resources.settings()
    key = resources.phone_number(number)
    with resources.database(settings) as engine:
        campaigns = resources.rules(engine, settings).current.campaigns
        with engine.begin() as tx:
            user = user_named(tx, by)
            formerly = mark not in ABOUT_THE_NUMBER
            in_reach = person_facts.find(tx, key, contact, formerly=formerly)
            known = person_record.rows_of(tx, in_reach[0].id) if in_reach else []
            undone = mark_undo.undo(tx, key, known, mark, why, user, campaigns, resources.now(tx))
    print(f"undone: {len(undone.marks)}; contacts that are dialed again: {len(undone.reopened)}")


def access(
    targets: Annotated[
        list[str],
        typer.Argument(metavar="[NUMBER] DIR", help="the number, and the folder to write to"),
    ],
    contact: ContactId = None,
    language: Annotated[
        str, typer.Option(help="da or en: the person's language", callback=resources.known_language)
    ] = "da",
    by: InWords = BY_COMMAND,
) -> None:
    """Write everything on record about a person, for the person: as a page to read and as JSON.

    Nobody else is named in it. The log records that the copy was made.

    Example: callserver person access 32123456 answers --language en
    """
    if len(targets) not in ((2,) if contact is None else (1, 2)):
        raise ConfigurationProblem("name the number and the folder, or --contact and the folder")
    number = None if len(targets) == 1 else resources.phone_number(targets[0])
    folder = Path(targets[-1])
    folder.mkdir(parents=True, exist_ok=True)  # first, because the log says that the copy was made
    settings = resources.settings()
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings)
        with engine.begin() as tx:
            now, secret = resources.now(tx), resources.secret(settings)
            in_reach = person_facts.find(tx, number, contact)
            if not in_reach:
                raise NotFound("nobody is known at this number")
            known = person_record.rows_of(tx, in_reach[0].id)
            published = receipts.if_opened(settings)
            copy = person_copy.make(tx, rules, secret, known, language, now, published)
            person_copy.record_copy(tx, known, by, now)
    for ending, content in (
        ("html", person_copy_page.page(copy)),
        ("json", copy.model_dump_json(indent=2)),
    ):
        file = folder / f"person-{contact or known[0].id}.{ending}"
        file.write_text(content, "utf-8")
        print(file)


def _note(number: str, contact: int | None, fact: Fact, by: str) -> None:
    key = resources.phone_number(number)
    with resources.database() as engine, engine.begin() as tx:
        formerly = fact not in person_facts.OF_THE_NUMBER
        known = person_facts.find(tx, key, contact, formerly=formerly)
        person_facts.note(tx, key, known, fact, by, resources.now(tx))
    about = f"contacts: {len(known)}" if known else "about the number, at which nobody is known"
    print(f"recorded; {about}")
