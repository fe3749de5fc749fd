"""The headings of common membership systems' exports, each as the system writes them."""

import pytest

from callserver.domain import headings
from callserver.domain.cells import Columns
from callserver.domain.headings import ColumnMapping

PERSON = {"ref", "first_name", "last_name", "born", "address", "postcode", "country"}

SYSTEMS = {
    "Salesforce NPSP, fields": (
        (
            "Id,Salutation,FirstName,LastName,Name,MailingStreet,MailingCity,MailingPostalCode,"
            "MailingCountry,Phone,HomePhone,MobilePhone,OtherPhone,npe01__WorkPhone__c,Birthdate,LeadSource,"
            "DoNotCall,HasOptedOutOfEmail,npsp__Do_Not_Contact__c,npsp__Deceased__c,npo02__LastCloseDate__c,"
            "npo02__Household__c"
        ),
        {*PERSON, "name", "phone", "source", "last_gift", "household"},
        ["HomePhone", "MobilePhone", "OtherPhone", "npe01__WorkPhone__c"],
        ["DoNotCall", "npsp__Do_Not_Contact__c", "npsp__Deceased__c"],
    ),
    "Salesforce NPSP, report": (
        (
            "Contact ID,First Name,Last Name,Mailing Street,Mailing City,Mailing Zip/Postal Code,Mailing Country,"
            "Phone,Mobile,Home Phone,Birthdate,Do Not Call,Do Not Contact,Deceased,Last Gift Date,Lead Source"
        ),
        {*PERSON, "phone", "last_gift", "source"},
        ["Mobile", "Home Phone"],
        ["Do Not Call", "Do Not Contact", "Deceased"],
    ),
    "CiviCRM, export": (
        (
            "Contact ID,Contact Type,First Name,Last Name,Display Name,Birth Date,Deceased,Deceased Date,"
            "External Identifier,Do Not Phone,Do Not Email,Do Not Mail,No Bulk Emails (User Opt Out),"
            "Street Address,City,Postal Code,Country,Phone,Source of Contact Data"
        ),
        {*PERSON, "name", "phone", "source"},
        [],
        ["Deceased", "Deceased Date", "Do Not Phone"],
    ),
    "CiviCRM, fields": (
        (
            "contact_id,first_name,last_name,display_name,birth_date,is_deceased,deceased_date,do_not_phone,"
            "do_not_email,is_opt_out,street_address,city,postal_code,country,phone"
        ),
        {*PERSON, "name", "phone"},
        [],
        ["is_deceased", "deceased_date", "do_not_phone", "is_opt_out"],
    ),
    "Raiser's Edge 7": (
        (
            "CnBio_ID,CnBio_First_Name,CnBio_Last_Name,CnBio_Birth_date,CnBio_Deceased,CnBio_Do_not_phone,"
            "CnBio_Requests_no_email,CnAdrPrf_Addrline1,CnAdrPrf_City,CnAdrPrf_ZIP,"
            "CnAdrPrf_ContryLongDscription,CnPh_1_01_Phone_number"
        ),
        {*PERSON, "phone"},
        [],
        ["CnBio_Deceased", "CnBio_Do_not_phone"],
    ),
    "Raiser's Edge NXT": (
        (
            "Constituent ID,First name,Last name,Birth date,Deceased,Preferred address line 1,Preferred city,"
            "Preferred ZIP,Preferred country,Primary phone,Mobile phone,Do not call,Do not contact,"
            "Last gift date"
        ),
        {*PERSON, "phone", "last_gift"},
        ["Mobile phone"],
        ["Deceased", "Do not call", "Do not contact"],
    ),
    "Dynamics 365, export": (
        (
            "(Do Not Modify) Contact,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,First Name,"
            "Last Name,Mobile Phone,Business Phone,Home Phone,Address 1: Street 1,Address 1: ZIP/Postal Code,"
            "Address 1: City,Address 1: Country/Region,Birthday,Do not allow Phone Calls,Do not allow Emails"
        ),
        {*PERSON, "phone"},
        ["Home Phone", "Business Phone"],
        ["Do not allow Phone Calls"],
    ),
    "Dynamics 365, fields": (
        (
            "contactid,firstname,lastname,telephone1,telephone2,mobilephone,address1_line1,address1_postalcode,"
            "address1_city,address1_country,birthdate,donotphone,donotemail,msnfp_deceased"
        ),
        {*PERSON, "phone"},
        ["telephone1", "telephone2"],
        ["donotphone", "msnfp_deceased"],
    ),
    "Danish spreadsheet": (
        (
            "Medlemsnr.,Fornavn,Efternavn,Vejnavn,Husnr.,Etage,Dør,Postnr.,By,Land,Mobil,Fastnet,Arbejde tlf.,"
            "Fødselsdato,Medlem,Medlem siden,Udmeldt dato,Sidste gave,Må ikke ringes op,Død,Kilde"
        ),
        {
            *PERSON,
            *("phone", "house_number", "floor", "door"),
            *("member", "ended", "last_gift", "source"),
        },
        ["Fastnet", "Arbejde tlf."],
        ["Må ikke ringes op", "Død"],
    ),
}


SYSTEMS |= {
    "Salesforce NPSP, data loader": (
        (
            "ID,ACCOUNTID,FIRSTNAME,LASTNAME,MAILINGSTREET,MAILINGPOSTALCODE,MAILINGCOUNTRY,MOBILEPHONE,HOMEPHONE,"
            "NPE01__WORKPHONE__C,BIRTHDATE,DONOTCALL,HASOPTEDOUTOFEMAIL,NPSP__DO_NOT_CONTACT__C,NPSP__DECEASED__C,"
            "NPO02__LASTCLOSEDATE__C,LEADSOURCE"
        ),
        {*PERSON, "phone", "last_gift", "source"},
        ["HOMEPHONE", "NPE01__WORKPHONE__C"],
        ["DONOTCALL", "NPSP__DO_NOT_CONTACT__C", "NPSP__DECEASED__C"],
    ),
    "Salesforce NPSP, data import": (
        (
            "Contact1 First Name,Contact1 Last Name,Contact1 Birthdate,Contact1 Mobile Phone,Contact1 Work Phone,"
            "Home Street,Home City,Home Zip/Postal Code,Home Country"
        ),
        {*PERSON, "phone"} - {"ref"},
        ["Contact1 Work Phone"],
        [],
    ),
    "CiviCRM, search kit": (
        (
            "id,first_name,last_name,phone_primary.phone,address_primary.street_address,"
            "address_primary.postal_code,address_primary.city,is_deceased,do_not_phone,birth_date"
        ),
        {*PERSON, "phone"} - {"country"},
        [],
        ["is_deceased", "do_not_phone"],
    ),
    "CiviCRM, by location": (
        (
            "Internal Contact ID,First Name,Last Name,Home-Street Address,Home-City,Home-Postal Code,Home-Country,"
            "Home-Phone-Phone,Home-Phone-Mobile,Work-Phone-Phone,Is Deceased,Do Not Phone,Birth Date"
        ),
        {*PERSON, "phone"},
        ["Home-Phone-Mobile", "Work-Phone-Phone"],
        ["Is Deceased", "Do Not Phone"],
    ),
    "CiviCRM, in Danish": (
        (
            "Kontakt-ID,Fornavn,Efternavn,Vist navn,Fødselsdato,Er afdød,Dødsdato,Ring ikke,Send ikke e-mail,"
            "Gadeadresse,By,Postnummer,Land,Telefon,Kilde"
        ),
        {*PERSON, "name", "phone", "source"},
        [],
        ["Er afdød", "Dødsdato", "Ring ikke"],
    ),
    "Raiser's Edge 7, query": (
        (
            "Constituent ID,First Name,Surname,Birth Date,Deceased?,Deceased Date,Requests no email,Do Not Phone,"
            "Preferred Address Line 1,Preferred City,Preferred ZIP,Preferred Country,Home Phone Number,Mobile Number,"
            "Last Gift Date,Solicit Code"
        ),
        {*PERSON, "phone", "last_gift"},
        ["Home Phone Number"],
        ["Deceased?", "Deceased Date", "Do Not Phone"],
    ),
    "Raiser's Edge NXT, list": (
        (
            "System record ID,First name,Surname,Preferred address lines,Preferred address city,"
            "Preferred address postcode,Mobile,Home phone,Deceased,Consent - Phone,Consent date"
        ),
        {"ref", "first_name", "last_name", "address", "postcode", "phone", "consent_at"},
        ["Home phone"],
        ["Deceased", "Consent - Phone"],
    ),
    "Dynamics 365, in Danish": (
        (
            "(Må ikke ændres) Kontakt,(Må ikke ændres) Rækkekontrolsum,(Må ikke ændres) Ændret den,Fornavn,Efternavn,"
            "Mobiltelefon,Arbejdstelefon,Privattelefon,Adresse 1: Vej 1,Adresse 1: Postnummer,Adresse 1: By,"
            "Adresse 1: Land/område,Fødselsdag,Tillad ikke telefonopkald,Tillad ikke mails"
        ),
        {*PERSON, "phone"},
        ["Privattelefon", "Arbejdstelefon"],
        ["Tillad ikke telefonopkald"],
    ),
    "Danish spreadsheet, joined": (
        (
            "KundeID,For- og efternavn,Gadenavn,Husnr,Etage,Dør,Postnr. og by,Telefonnummer,Mobilnummer,"
            "Nej til telemarketing,Robinsonliste,Død dato,Opsigelsesdato"
        ),
        {
            *(
                "ref",
                "name",
                "address",
                "house_number",
                "floor",
                "door",
                "postcode",
                "phone",
                "ended",
            )
        },
        ["Mobilnummer"],
        ["Nej til telemarketing", "Robinsonliste", "Død dato"],
    ),
    "Danish member system": (
        (
            "Medlemsnummer,Personnavn,Gade,Husnummer,Bogstav,Etage,Sidedør,Postnummer,By,Privat tlf.,Mobil,Dødsdato,"
            "Må ringes op,Udmeldt den"
        ),
        {
            *("ref", "name", "address", "house_number", "floor", "door", "postcode"),
            *("phone", "ended"),
        },
        ["Privat tlf."],
        ["Dødsdato", "Må ringes op"],
    ),
}


@pytest.mark.parametrize(
    "heading", ["Kontakt via telefon", "Contact by phone", "Telefonisk kontakt", "Phone calls"]
)
def test_a_column_that_says_yes_or_no_to_calls_must_be_named(heading: str) -> None:
    names, mapping = mapped(f"Medlemsnr,Navn,Telefon,{heading}")
    assert [names[at] for at in mapping.doubtful] == [heading]


def mapped(header: str) -> tuple[list[str], ColumnMapping]:
    names = header.split(",")
    return names, headings.map_columns(names, {})


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_export_needs_no_choosing(system: str) -> None:
    header, fields, other_phones, opt_outs = SYSTEMS[system]
    names, mapping = mapped(header)
    assert set(mapping.columns) == fields
    assert [names[at] for at in mapping.other_phones] == other_phones
    assert [names[at] for at, _ in mapping.opt_outs] == opt_outs
    assert mapping.doubtful == ()


def columns(header: str, *rows: str) -> tuple[Columns, ColumnMapping]:
    names, mapping = mapped(header)
    cells = [row.split(",") for row in rows]
    return Columns(cells, names, mapping.columns, {len(names)}), mapping


def test_the_next_number_is_called_where_the_first_is_missing() -> None:
    read, mapping = columns(
        "Arbejde tlf.,Mobil,Fastnet,Preferred Phone",
        "32200001,32200002,32200003,Mobile",
        "32200004,,32200005,Home",
        "32200006, ,,Work",
        "32200007,wrong,32200008,",
        ",,,Home",
    )
    assert read.numbers("DK", mapping.other_phones) == [
        "4532200002",
        "4532200005",
        "4532200006",
        "0",  # what is there is not corrected
        "0",
    ]
    assert {row: problem.column for row, problem in read.problems.items()} == {
        3: "Mobil",
        4: "Mobil",
    }


def test_a_whole_name_beside_its_parts_is_not_said_twice() -> None:
    read, _ = columns(
        "Phone,Display Name,First Name,Last Name",
        "32200001,Fru Anna Prøve,Anna,Prøve",
        "32200002,Bo Bech,,",
    )
    assert read.names() == ["Anna Prøve", "Bo Bech"]


def test_neighbours_are_no_household() -> None:
    read, _ = columns(
        "Mobil,Vejnavn,Husnr.,Etage,Postnr.",
        "32200001,Elmevej,1,,4000",
        "32200002,Elmevej,2,st,4000",
    )
    written = read.households().written
    assert written == ["Elmevej 1 4000", "Elmevej 2 st 4000"]
