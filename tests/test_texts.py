"""The catalogues: one word for one thing."""

import re

import pytest

from callserver import texts

RETIRED = {
    "phoneren, personen": r"hun|hende|hendes",
    "phoner": r"agent(en|er|erne)?|pladsen",
    "supervisor": r"leder(en|e)?",
    "person uden relation til os": r"fremmed(e)?",
    "tabt opkald": r"miste(t|de) opkald|mødte ingen|ingen i røret",
    "ikke truffet": r"ikke nået",
    "Min vagt": r"min aften",
    "Lokalet": r"salen",
    "lytte med, lytning": r"medlyt\w*|overvågning\w*",
    "resultat": r"udfald\w*",
    "efterbehandling": r"efterarbejde",
    "genopkald": r"aftalt opkald|aftalte opkald|ring igen-aftale\w*",
    "ringe manuelt": r"i hånden",
    "spærret, spærring": r"nej'er|nejet|frabud|(er|nummeret er) frabedt",
    "i et register": r"på registret",
    "fred": r"have ro|få ro|hviler",
    "indlæse": r"(tage|tages|taget) ind|tag \w+ ind",
    "hente en kopi": r"(tage|tag|tages) en kopi|tage ud",
    "lempe": r"løsere",
    "kontrollere": r"spørge reglerne|reglerne siger",
    "kunne dokumenteres": r"bevises",
    "script": r"manuskript\w*",
    "browsertelefonen": r"browserens telefon",
    "forbinde": r"koble\w*",
    "et login": r"(første|næste|sidste|et) log ind",
    "godkendelsesapp": r"kode-app\w*",
    "adgangsnøgle": r"maskinnøgle\w*|nøgle(r)? til maskiner",
    "registreret i loggen": r"står i loggen|skrevet ned",
    "signeret kontrolpunkt": r"underskrevet hoved\w*",
    "status": r"tilstand\w*",
    "opkald": r"ordre(r|n|rne)?",
    "mandag-fredag": r"hverdag(e|en|ene)?",
    "vi, systemet, her": r"hus(et|ets)?",
}
"""The word that is used, and those that are not."""


@pytest.mark.parametrize("used", RETIRED)
def test_one_danish_word_for_one_thing(used: str) -> None:
    retired = re.compile(rf"(?<!\w)(?:{RETIRED[used]})(?!\w)", re.IGNORECASE)
    wrong = {key: text for key, text in texts.catalogue("da").items() if retired.search(text)}
    assert not wrong, f"say: {used}"
