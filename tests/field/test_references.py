"""References that a spreadsheet or another system writes differently: one person stays one person."""

from contextlib import nullcontext

import pytest
from sqlalchemy import Engine, select

from callserver.adapters.clock import SystemClock
from callserver.database.tables import contacts, marks
from callserver.engine.lists import consent_files
from tests.field.conftest import Take
from tests.field.test_cli import numbers, silenced

PEOPLE = "Medlemsnr;Navn;Telefon\n121;Rut Prove;32200121\n122;Bo Prove;32200122\n"


@pytest.mark.parametrize("ref", ["1,21E+12", "1.21E+12", "#REF!", "#N/A", "#I/T", "#VÆRDI!", "###"])
def test_what_a_spreadsheet_shows_instead_of_a_number_is_no_reference(
    ref: str, take: Take, engine: Engine
) -> None:
    take(f"Medlemsnr;Telefon\n{ref};32200101\n{ref};32200102\n")
    take(f"Medlemsnr;Telefon\n{ref};32200103\n")
    assert numbers(engine) == [4532200101, 4532200102, 4532200103]


@pytest.mark.parametrize("ref", ["'121", '="121"', '"=""121"""', "121.0"])
def test_a_quoted_reference_is_the_same(ref: str, take: Take, engine: Engine) -> None:
    take(PEOPLE)
    take(f"Medlemsnr;Navn;Telefon\n{ref};Rut Prove;32200129\n")
    assert numbers(engine) == [4532200122, 4532200129]


@pytest.mark.parametrize("ref", ["12E45", "#12", "1E5", "A+B1"])
def test_other_references_are_references(ref: str, take: Take, engine: Engine) -> None:
    take(f"Medlemsnr;Telefon\n{ref};32200101\n")
    take(f"Medlemsnr;Telefon\n{ref};32200103\n")
    assert numbers(engine) == [4532200103]


@pytest.mark.parametrize(
    ("first", "again"), [("00121", "121"), ("121", "00121"), ("0121", "00121"), ("00121", "121.0")]
)
def test_leading_zeros_that_a_spreadsheet_dropped(
    first: str, again: str, take: Take, engine: Engine
) -> None:
    head = "Medlemsnr;Navn;Telefon;Ring ikke\n"
    take(f"{head}{first};Rut Prove;32200121;\n00122;Bo Prove;32200122;\n")
    take(f"{head}{again};Rut Prove;32200129;\n")
    assert numbers(engine) == [4532200122, 4532200129]
    take(f"{head}{again};Rut Prove;32200129;ja\n")
    with engine.connect() as tx:
        query = select(contacts.c.person).where(contacts.c.number == 4532200129)
        person = tx.execute(query).scalar_one()
    assert f"person:{person}" in silenced(engine)


def test_a_refused_row_with_other_leading_zeros_protects(take: Take, engine: Engine) -> None:
    head = "Medlemsnr;Navn;Telefon;Ring ikke\n"
    take(f"{head}00121;Rut Prove;32200121;\n00122;Bo Prove;32200122;\n")
    take(f"{head}121;Rut Prove;;ja\n122;Bo Prove;3220;\n")
    with engine.connect() as tx:
        query = select(contacts.c.ref, contacts.c.person, contacts.c.status)
        people = {row.ref: row for row in tx.execute(query)}
    assert f"person:{people['00121'].person}" in silenced(engine)
    assert people["00122"].status == "closed"  # set aside until the row is corrected


def test_other_leading_zeros_of_another_name_are_another_person(take: Take, engine: Engine) -> None:
    take("Medlemsnr;Navn;Telefon\n00121;Rut Prove;32200121\n")
    take("Medlemsnr;Navn;Telefon\n121;Per Berg;32200129\n")
    take("Medlemsnr;Telefon\n121;32200130\n")
    assert 4532200121 in numbers(engine)
    assert len(numbers(engine)) == 2


SHORT, LONG = "0013000000abCdE", "0013000000abCdEAAU"
"""One Salesforce id, as a report shows it and as a data export does."""


@pytest.mark.parametrize(("first", "second"), [(SHORT, LONG), (LONG, SHORT)])
def test_both_forms_of_a_salesforce_id_are_one_person(
    first: str, second: str, take: Take, engine: Engine
) -> None:
    head = "Id;Navn;Telefon;Ring ikke\n"
    take(f"{head}{first};Rut Prove;32200121;\n0013000000abcde;Bo Prove;32200122;\n")
    with engine.connect() as tx:
        query = select(contacts.c.ref, contacts.c.person).where(contacts.c.ref == first)
        known = tx.execute(query).one()
    take(f"{head}{second};Rut Berg;32200123;\n")  # married, and another number
    assert numbers(engine) == [4532200122, 4532200123]
    take(f"{head}{second};;;ja\n")  # refused, for it has no number
    assert f"person:{known.person}" in silenced(engine)
    assert len(silenced(engine) & {f"person:{known.person}"}) == 1


def test_both_forms_of_a_salesforce_id_in_one_list(take: Take, engine: Engine) -> None:
    take(f"Id;Navn;Telefon\n{SHORT};Rut Prove;32200121\n{LONG};Rut Prove;32200125\n")
    assert numbers(engine) == [4532200121]


def test_a_refused_row_in_the_other_form_sets_the_person_aside(take: Take, engine: Engine) -> None:
    take(f"Id;Navn;Telefon\n{SHORT};Rut Prove;32200121\n")
    take(f"Id;Navn;Telefon\n{LONG};Rut Prove;3220\n")
    with engine.connect() as tx:
        assert tx.execute(select(contacts.c.status)).scalars().all() == ["closed"]


@pytest.mark.parametrize(
    "row",
    [
        "121;32200129;2026-11-01;nej",  # the number is another one by now
        "121;;2026-11-01;nej",
        "121;32200121;2026-11-01;Nej tak",
        "121;32200121;2026-11-01;tilbagekaldt af medlemmet",
        "121.0;3220;2026-11-01;nej",
    ],
)
def test_a_consent_is_taken_back_for_the_person_of_the_reference(
    row: str, take: Take, engine: Engine
) -> None:
    take(PEOPLE)
    with engine.begin() as tx:
        raw = f"Medlemsnr;Telefon;Dato;Samtykke\n{row}\n".encode()
        consent_files.take(lambda: nullcontext(tx), raw, "command", SystemClock().now())
        marked = set(tx.execute(select(marks.c.subject, marks.c.kind)).all())
        persons = dict(tx.execute(select(contacts.c.ref, contacts.c.person)).all())
    revoked = {subject for subject, kind in marked if kind == "consent_revoked"}
    assert f"person:{persons['121']}" in revoked
    assert f"person:{persons['122']}" not in revoked


@pytest.mark.parametrize("name", ["Ane Prove", "Zoe Gift"])
def test_a_consent_is_taken_back_whichever_list_has_the_name_and_the_reference_s_system(
    name: str, take: Take, engine: Engine
) -> None:
    take("Medlemsnr;Navn;Telefon\n9;Bo Prove;32200109\n", "--namespace", "CRM")
    take("Medlemsnr;Navn;Telefon\n7;Ane Prove;32200107\n")
    with engine.begin() as tx:
        first = tx.execute(select(contacts).where(contacts.c.ref == "7")).mappings().one()
        later = {**first, "campaign": "leads", "name": "Zoe Gift", "rank": 9}
        tx.execute(contacts.insert().values({k: v for k, v in later.items() if k != "id"}))
        raw = f"Medlemsnr;Navn;Telefon;Dato;Samtykke\n7;{name};;2026-11-01;nej\n".encode()
        consent_files.take(lambda: nullcontext(tx), raw, "command", SystemClock().now())
        kinds = tx.execute(select(marks.c.kind)).scalars().all()
    assert "consent_revoked" in kinds
