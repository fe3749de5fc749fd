"""What is a household: not a district, a post-office box, poste restante or a placeholder."""

import pytest

from callserver.domain import addresses, postal_addresses


@pytest.mark.parametrize(
    ("address", "postcode"),
    [
        ("8000 Aarhus C", ""),
        ("DK-8000 Aarhus", ""),
        ("8000", "8000"),
        ("Nørregade 8000", ""),
        ("Lynggården, 8000 Aarhus C, Danmark", ""),
        ("10115 Berlin", ""),
        ("123 45 Stockholm", ""),
        ("1012 AB Amsterdam", ""),
        ("Postboks 12", ""),
        ("POSTBOKS nr. 12, 8000 Aarhus C", ""),
        ("Box 12", "8000"),
        ("P.O. Box 12", ""),
        ("PO Box 12", "8000"),
        ("c/o Hansen", "8000"),
        ("C/O Hansen, 8000 Aarhus", ""),
        ("Poste restante, 8000 Aarhus C", ""),
        ("Ukendt", "8000"),
        ("99999", ""),
        ("Nørregade 8000", "8000"),
        ("8000 Aarhus", "800"),
        ("Abc 8000 Aarhus", ""),
        *((f"{box} 12", "8000") for box in ("PB", "bp", "Boks", "Postbox", "Pakkeboks nr.")),
        *((f"{box} 12", "8000") for box in ("Postfach", "Postbus", "p.o.box", "p o box")),
        ("POST RESTANTE, 8000 Aarhus C", ""),
        ("C / O 5", "8000"),
        ("c.o. Hemmelig 5", "8000"),
        ("Ikke oplyst 5", "8000"),
        ("Lynvej", "8000"),
    ],
)
def test_nobody_lives_there(address: str, postcode: str) -> None:
    assert addresses.is_no_household(address, postcode)


@pytest.mark.parametrize(
    ("address", "postcode"),
    [
        ("Lynvej 5", ""),
        ("Lynvej 5", "8000"),
        ("Lynvej 5, 8000 Aarhus C", ""),
        ("Lynvej 5 st. th, DK-8000 Aarhus C, Danmark", "8000"),
        ("c/o Hansen, Lynvej 5", "8000"),
        ("Lynvej 5, Postboks 12", ""),
        ("Boksvej 12", ""),
        ("B-1234", "3900"),
        ("B 1234, 3900 Nuuk", ""),
        ("1200 Main Street", ""),
        ("Main Street 1200", "60601"),
        ("12 rue de la Paix, 75002 Paris", ""),
        ("Storgata 5, 0155 Oslo, Norge", ""),
        ("8000 Aarhus C", "9000"),  # no other number is taken for a postcode
        ("Lynvej 18000", "8000"),
        ("Lynvej ²", "8000"),  # a digit, if no number
        ("Ukendt Lynvej 5", "8000"),
        ("LYNVEJ\u00a05 ,  DK-8000\u00a0AARHUS", ""),
    ],
)
def test_people_live_there(address: str, postcode: str) -> None:
    assert not addresses.is_no_household(address, postcode)


@pytest.mark.parametrize(
    ("name", "postcode"),
    [
        *(("99999", ""), ("9999", ""), ("99999.0", "")),
        *(("8000", "8000"), ("DK-8000", "8000"), ("8000 Aarhus C", ""), ("DK-8000", "")),
        *(("Postboks 12", ""), ("Box 12", ""), ("c/o", ""), ("c/o Hansen", "")),
        ("Poste restante", ""),
    ],
)
def test_it_names_no_household(name: str, postcode: str) -> None:
    assert addresses.is_no_household_name(name, postcode)


@pytest.mark.parametrize(
    "name", ["H-12", "4711", "8000", "999", "Hus 7-12", "S 1234", "Familien Hansen", "Lynvej 5"]
)
def test_it_names_a_household(name: str) -> None:
    assert not addresses.is_no_household_name(name, "8210")


@pytest.mark.parametrize(
    "text", ["", "0", "00 000", "-", "Ukendt", "ukendt 0", "n/a", "ikke oplyst"]
)
def test_a_placeholder(text: str) -> None:
    assert addresses.is_placeholder(text)


@pytest.mark.parametrize("text", ["5", "10", "ukendt 5", "Lynvej", "Ukendt Lynvej"])
def test_no_placeholder(text: str) -> None:
    assert not addresses.is_placeholder(text)


@pytest.mark.parametrize(
    ("address", "household"),
    [
        ("Lynvej 5 , dk - 4000 Roskilde", "|lynvej|5||||4000|"),
        ("LYNVEJ 05b,4000", "|lynvej|5|b|||4000|"),
        ("Lynvej nr. 5, 2. tv, 4000 Roskilde, Danmark", "|lynvej|5||2|tv|4000|"),
        ("2. Lynvej 12-14 st th 4000", "|2lynvej|12||st|th|4000|"),
        ("Lynvej 5, værelse 12, 4000 Roskilde", "|lynvej|5||||4000|værelse 12"),
        ("Lynvej 5, kollegiet", "|lynvej|5|||||"),
        ("Lynvej 40005", "Lynvej 40005"),
        ("4000 Roskilde", "4000 Roskilde"),
        ("Postboks 4000", "Postboks 4000"),
        ("", ""),
    ],
)
def test_what_identifies_a_household(address: str, household: str) -> None:
    assert postal_addresses.household(address) == household
