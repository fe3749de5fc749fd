"""The search for words that say no finds, among many cells, what reading cell by cell finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callserver.domain.opt_out_phrases import Search, may_say_no, name_says_no, says_no

PIECES = st.sampled_from(
    [
        "ring",
        "Ikke",
        "ringIkke",
        "aldrig",
        "No",
        "tellNo's",
        "Nora",
        "NoTM",
        "a5Ikke",
        "no5",
        "fra'bedt",
        "Don't",
        "don\u2019t",
        "call",
        "erDød",
        "undga\u030a",
        "frabedt18",
        "under",
        "18",
        "er_død",
        "(død)",
        "P†l",
        "†",
        "Afdøde",
        "STRAẞE",
        "Anna",
        "Prøve",
        "K100",
        "20123456",
        "nej",
        "tak",
        "kun",
        "mail",
        "boet",
        "efter",
        "İno",
        "samtykke",
        "consents",
        "withdrew",
        "trukket",
        "tilbage",
        "slet",
        "mig",
        "i",
        "fred",
        "U18",
        "or",
        "forstyrres",
        "wrong",
        "number",
        "brug",
        "tack",
    ]
)
CELLS = st.lists(
    st.one_of(
        st.lists(PIECES, max_size=4).map(" ".join),
        st.lists(PIECES, max_size=4).map("".join),
        st.text(max_size=12),
    ),
    max_size=40,
)


@given(st.lists(CELLS, max_size=3))
@settings(deadline=None)
def test_a_search_finds_the_cells_that_may_say_no(columns: list[list[str]]) -> None:
    search = Search()
    for cells in columns:
        assert search.cells(cells) == list(filter(may_say_no, cells))


@given(CELLS)
@settings(deadline=None)
def test_a_cell_that_says_no_is_read(cells: list[str]) -> None:
    for cell in cells:
        assert may_say_no(cell) or not says_no(cell)


@pytest.mark.parametrize("cell", ["Don\u2019t call", "erDød", "undga\u030a opkald"])
def test_a_no_is_found_however_its_letters_are_written(cell: str) -> None:
    assert says_no(cell)
    assert Search().cells(["Anna", cell, "Bo"]) == [cell]


SAY_NO = """Ønsker ikke at blive ringet op|vil ikke ringes til|må ikke ringes op af frivillige
|ingen telefonopkald|ikke flere opkald|no phone calls please|Bedt om ikke at blive kontaktet
|Kontakt ønskes ikke|Opkald frabedes|ring aldrig|Ringspærre|ønsker ingen kontakt|ikke ring
|stop opkald|slet mig|vil slettes|afdød|død 2024|† 2023|er gået bort|Robinsonlisten
|nej tak til opkald|nej tak til telefonmarketing|kun sms|må kun kontaktes skriftligt
|ønsker kun post|skal ikke kontaktes telefonisk|uønsket opkald|har frabedt sig|hemmeligt nr
|ønsker ikke flere henvendelser|ønsker ikke at høre fra os|vil ikke have opkald
|vil ikke høre fra jer|gider ikke blive ringet op|bed om ikke at ringe|må ikke kontaktes
|kontaktes ikke|ringes ikke|ring endelig ikke|ring ikke til ham|ring ikke til denne person
|kontakt ikke personen|undgå at ringe|undlad opkald|nægter opkald|takker nej til opkald
|siger nej tak|vil ikke kontaktes pr. telefon|ønsker ikke telefonisk kontakt
|telefonisk kontakt ønskes ikke|telefonopkald: nej|tlf.: nej|TLF=NEJ|Må ringes: nej
|må ikke ringes|do not call|do not phone|don't ring|please do not contact by phone|never call
|never phone again|stop calling|remove from list|opt-out|opted out of calls|unsubscribed
|no calls|no telephone|not to be called|DNC|Do-Not-Call|klage|klaget|har klaget over opkald
|under værgemål|umyndig|har værge|dement|dødsbo|under 18|barn|mindreårig|afgået ved døden
|ikke længere i live|sov stille ind|lever ikke mere|ikke i live|opkald ønskes ikke
|kontakt ønskes ikke længere|Opkaldsspærring|uønskede opkald|vil ikke have telefonsælgere
|ønsker ikke telefonsalg|nej til telefonmarketing|I don't want to hear from you
|ønsker ikke at blive kontaktet igen|vil helst ikke ringes op|vil slet ikke ringes op
|vil bare ikke ringes op|må absolut ikke kontaktes
|ønsker under ingen omstændigheder at blive ringet op|Ring ALDRIG igen
|Ring aldrig mere til hende|Kontakt hende ikke|kontakt aldrig personen igen|no more phone calls
|no telemarketing|not by phone|ikke på telefon|ikke telefon|ikke via telefon|ikke pr telefon
|ingen tlf|ingen opringninger|frabeder sig opkald|frabedt|ønsker fred|vil have fred
|lad være med at ringe|lad hende være|lad ham være i fred|har bedt om at blive slettet
|skal slettes|skal ikke ringes|bør ikke ringes op|kan ikke ringes op|ringes ikke op
|ringes aldrig|må aldrig ringes|ej ringes|ej opkald|ej tlf|tlf nej|telefon nej tak|opkald nej
|kontakt nej|ønsker ej kontakt|slettet på eget ønske|anmeldt til Forbrugerombudsmanden
|har klaget til Forbrugerombudsmanden|hustru ringer: han er død|manden er død|død|mor er død
|ægtefælle død|er døende|kontakt venligst personen her aldrig|ring op til hende her ikke
|email only|mail kun|må fremover kun kontaktes på brev|kun kontakt pr mail
|må kun blive kontaktet på mail|intet, kun brev|R.I.P.|r.i.p|d.n.c.|dødsfald i maj|gik bort i maj|sov ind
|træt af opkald|sur over opkald|nr. må ikke benyttes|nummer bruges ikke|gammelt nummer|ny ejer af nummeret
|fejl nummer|forkert person|nej tk|GDPR sletning|nocall|no tel|ønsker ikke samtale|karantæne|skriv kun
|må IKKE, under nogen omstændigheder, ringes op|må på ingen måde ringes op"""
SAY_NOTHING = """ring efter kl. 17|ring gerne|må gerne ringes op|ikke hjemme|ikke kontaktet endnu|ja|nej
|ring ikke før 17|Nej tak til nyhedsbrev|ingen mail|kan ikke høre godt|hører dårligt
|vil gerne høre fra os|Livs nummer|ringer selv tilbage|bor i live|telefonsælger|kontakt ønskes
|ønskes ikke hvervet|opkald ok|medlem siden 2010|Ring på dørtelefon|husk at ringe|ringede ikke|ring ikke før klokken 17 tak|ikke tlf nr|no phone number
|ingen telefon nr.|kun hverdage|A.P. Møller|f.eks. lørdag|no tel number|anden måde|kl. 17"""


def phrases(text: str) -> list[str]:
    return text.replace("\n", "").split("|")


@pytest.mark.parametrize("cell", phrases(SAY_NO))
def test_a_cell_that_says_no_stops_the_import(cell: str) -> None:
    assert says_no(cell)
    assert says_no(cell.upper())
    assert Search().cells(["Anna", cell, "Bo"]) == [cell]


@pytest.mark.parametrize("cell", phrases(SAY_NOTHING))
def test_another_cell_costs_no_question(cell: str) -> None:
    assert not says_no(cell)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("Anna Prøve (død)", "Boet efter Anna Prøve", "Anna - spærret")),
        *(
            (name, True)
            for name in ("Anna Prøve \u2020", "Anna [ring ikke]", "Anna v/ værge", "Bo NEJ TAK")
        ),
        *((name, False) for name in ("Anna Barn", "Bo Robinson", "Anna (Bo)", "Ib Fred-Prøve")),
    ],
)
def test_a_note_beside_a_name_says_no(name: str, *, expected: bool) -> None:
    assert name_says_no(name) == expected


@pytest.mark.parametrize("cell", ["'ring ikke'", "don't call", "''don''t call", "Don't ring"])
def test_apostrophes_hide_no_word(cell: str) -> None:
    assert Search().cells(["O'Neill", cell, "'Bo'"]) == [cell]


@pytest.mark.parametrize(
    "cell",
    [
        "Ring ikk\u0435",
        "m\u00e5 ikke kont\u0430ktes",
        "\u0420ing ikke".replace("\u0420", "R"),
        "d\u03bf not call",
        "de\u0430d",
        "r\u0131ng ikke",
    ],
)
def test_letters_of_another_alphabet_hide_no_word(cell: str) -> None:
    assert says_no(cell)
    assert Search().cells([cell]) == [cell]


def test_ordinary_words_cost_no_second_look() -> None:
    """A column in which every cell has one takes five times as long."""
    assert not may_say_no(
        "Person 17\nKunde\nMedlem\nAktiv\nFirma\nPrivat\nMand\nKvinde\nFru\nHr\nVej\nAllé"
    )
    assert may_say_no("Forkert person")
    assert says_no("Forkert person")
