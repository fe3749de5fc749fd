"""A list that may say no to calls in a place that nobody reads is asked about before it is taken."""

import pytest
from sqlalchemy import Engine, select

from callserver.database.tables import contacts, suppressions
from callserver.domain.headings import IGNORE
from callserver.engine.lists import importer
from callserver.engine.lists.doubtful_columns import Doubtful
from callserver.engine.lists.import_order import ImportOrder
from tests.harness.imported_lists import KANVAS, NOW, rows, take


@pytest.mark.parametrize(
    "status",
    [
        *("Ring ikke", "ring ikke!", "Do not call", "Død", "deceased", "Død d. 3/4-2024", "† 2021"),
        *(
            "RingIkke",
            "Ring aldrig igen",
            "ring ikke pga. sygdom",
            "Skal ikke ringes op",
            "Never call again",
        ),
        *(
            "Har bedt os om ikke at ringe",
            "Lad være med at ringe",
            "Ønsker ikke at blive kontaktet",
        ),
        *(
            "Frabedt",
            "Reserveret",
            "DNC",
            "Robinson",
            "Blokeret",
            "Ringespærret",
            "Nej tak",
            "Stop",
        ),
        *("Kun mail", "email only", "Må kun kontaktes på mail", "Telefon: nej", "Opt-out"),
        *(
            "Klage",
            "Under værgemål",
            "Sårbar",
            "Barn",
            "Under 18",
            "Passed away",
            "Fjern fra listen",
        ),
        "Talte med datteren 3. april: hun vil under ingen omstændigheder ringes op igen, heller ikke i morgen",
    ],
)
def test_a_status_against_calls_in_a_column_nobody_reads_is_asked_about(
    sqlite: Engine, status: str
) -> None:
    text = f"telefon;navn;status\n32200001;Bo;Aktiv\n32200002;Ida;{status}\n"
    with pytest.raises(Doubtful, match="'status'"):
        take(sqlite, text)
    assert rows(sqlite, "number") == []
    with sqlite.begin() as tx:
        order = ImportOrder(KANVAS, text.encode(), {"status": IGNORE})
        importer.write(importer.stage(tx, order, NOW.date()), NOW, by="test")
    assert len(rows(sqlite, "number")) == 2


@pytest.mark.parametrize(
    "status",
    [
        *(
            "Aktiv",
            "nej",
            "Nej tak til kaffe",
            "ring ikke før kl. 17",
            "",
            "Ikke hjemme, ring igen",
        ),
        *(
            "Nej tak til nyhedsbrev",
            "frabedt nyhedsbrev",
            "Ikke ringet op endnu",
            "No phone number",
        ),
        *("Afmeldt", "Stoppet betaling", "ikke medlem", "Nykøbing Mors"),
    ],
)
def test_other_statuses_are_details_of_the_contact(sqlite: Engine, status: str) -> None:
    summary = take(sqlite, f"telefon;navn;status\n32200001;Bo;{status}\n")
    assert summary.taken == 1


def test_a_status_far_down_among_many_notes_is_asked_about(sqlite: Engine) -> None:
    """A column of notes, none like another; what matters comes after thousands of them."""
    notes = [f"{32200000 + n};Bo;talte om have nummer {n}\n" for n in range(3_000)]
    text = "telefon;navn;bemærkning\n" + "".join(notes) + "32299999;Ida;Ring ikke\n"
    with pytest.raises(Doubtful, match="line 3002: 'bemærkning'"):
        take(sqlite, text)


def test_a_source_that_says_no_is_asked_about(sqlite: Engine) -> None:
    with pytest.raises(Doubtful, match="'kilde'"):
        take(sqlite, "telefon;navn;kilde\n32200001;Bo;gade\n32200002;Ida;ring ikke\n")


@pytest.mark.parametrize("name", ["Ida Prøve (død)", "RING IKKE Ida Prøve", "Ida Prøve †"])
def test_a_no_beside_a_name_is_a_no(sqlite: Engine, name: str) -> None:
    """Nobody maps the column of names: the row counts as an opt-out, and is named."""
    summary = take(sqlite, f"ref;telefon;navn\nK17;32200001;Bo\nK18;32200002;{name}\n")
    assert (summary.opted_out, summary.unclear) == (1, [3])
    take(sqlite, "ref;telefon;navn\nK18;32200002;Ida Prøve\n")
    with sqlite.connect() as tx:
        subjects = set(tx.execute(select(suppressions.c.subject)).scalars())
        (ida,) = tx.execute(
            select(contacts.c.person).where(contacts.c.ref == "K18").distinct()
        ).scalars()
    assert {"number:4532200002", f"person:{ida}"} <= subjects


@pytest.mark.parametrize(
    "heading",
    [
        *(
            "Klage",
            "Værge",
            "Umyndig",
            "Sårbar",
            "Mindreårig",
            "Under 18",
            "Ringestop",
            "Telefonfred",
        ),
        *("Opkaldsforbud", "Udelukket", "Slettet", "Hemmeligt nummer", "Passed away", "Vulnerable"),
    ],
)
def test_a_heading_about_protected_people_is_asked_about(sqlite: Engine, heading: str) -> None:
    with pytest.raises(Doubtful, match=heading):
        take(sqlite, f"telefon;navn;{heading}\n32200001;Bo;1\n")
