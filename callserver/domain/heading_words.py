"""What one heading of a list means: a certain field, or a possible opt-out that must not be ignored."""

import re
from collections.abc import Mapping
from functools import lru_cache

from callserver.domain import subject
from callserver.domain.comparable_text import comparable

_NAMES: Mapping[str, str] = {
    "phone": "phone telefon tlf mobil telefonnummer mobilnummer number nummer tel telephone mobile"
    " telefonnr mobilnr mobil_nr tlf_nr tlfnr tlf_nummer telefon_nr mobile_phone phone_number"
    " phone_no mobile_no mobile_number mobil_telefon mobiltelefon telephone_number home_phone"
    " contact_no contact_number cell cell_phone cellphone fastnet fastnettelefon privat_telefon"
    " privattelefon telefon_privat hjemmetelefon business_phone work_phone other_phone"
    " arbejdstelefon phone_mobile phone_home phone_primary primary_phone telephone_1 telephone_2"
    " telephone1 telephone2 msisdn handynummer mobilnummer_privat",
    "name": "name navn fulde_navn full_name fullname display_name contact_name fuldt_navn"
    " for_og_efternavn navn_fornavn_efternavn personnavn vist_navn",
    "first_name": "first_name fornavn firstname given_name",
    "last_name": "last_name efternavn lastname surname family_name",
    "ref": "ref reference medlemsnr medlemsnummer medlems_nr medlems_id id member_no member_number"
    " member_id kontakt_id kontaktid contact_id contactid contact_number_id constituent_id"
    " donor_id external_id eksternt_id record_id lookup_id kunde_id kundenr kundenummer kontaktnr kontakt_nr crm_id do_not_modify_contact"
    " må_ikke_ændres_kontakt må_ikke_ændres_kontaktperson internal_contact_id system_record_id nr no lbnr"
    " lobenr løbenr løbenummer række row row_number index",
    "household": "household husstand household_id husstands_id npo02_household",
    "address": "address adresse street street_address gade vej gadenavn vejnavn mailing_street"
    " address_1 address_line address_line_1 addrline addrline1 address_1_street_1 adresse_1 adresselinje_1 address1_line1 home_street"
    " gadeadresse vejadresse mailing_address_line_1 preferred_address_lines adresse_1_vej_1 street_address_line_1"
    " address_primary_street_address",
    "postcode": "postcode postnr postnummer zip zip_code zipcode postal_code mailing_postal_code"
    " post_code mailing_zip_postal_code address1_postalcode postalcode address_1_zip_postal_code"
    " postnr_og_by postnr_by post_nr_og_by postby preferred_address_postcode adresse_1_postnummer zip_postal_code"
    " address_primary_postal_code",
    "house_number": "house_number house_no street_number husnr husnummer hus_nr hus_nummer",
    "floor": "floor etage sal",
    "door": "door dør doer side_dør sidedør",
    "country": "country land landekode country_code mailing_country home_country country_region"
    " address1_country address_1_country_region contry_long_dscription landenavn country_name phone_country nation billing_country iso_country"
    " land_område lande_områdekode adresse_1_land_område",
    "born": "born født fodt birthday fødselsdag foedselsdag fødselsdato foedselsdato fodselsdato"
    " fodselsdag birthdate birth_date date_of_birth dob d_o_b birth_day fødsels_dato fødedato"
    " fødtdato født_dato født_den geburtsdatum geburtstag fdato person_birthdate födelsedatum"
    " fødselsdatum bday birth född födelsedag geboren geboren_am geb geb_am geb_datum foedt",
    "age": "age alder alder_år ålder alter",
    "member": "member medlem is_member er_medlem",
    "last_gift": "last_gift sidste_gave last_gift_date lastgiftdate last_close_date lastclosedate"
    " most_recent_gift_date latest_gift_date dato_for_sidste_gave sidste_gave_dato seneste_gave",
    "ended": "ended ophørt ophoert udmeldt afmeldt udmeldelsesdato udmeldt_dato ophørsdato"
    " udmeldelses_dato opsigelsesdato opsagt_dato opsagt_den udmeldt_den ophør",
    "source": "source kilde lead_source source_of_contact_data contact_source",
    "source_at": "source_date kilde_dato kildedato dato_for_kilde lead_date signed_at underskrevet"
    " underskrevet_den indsamlet indsamlet_den collected_at",
    "consent_at": "consent_date consent_at consent_given_on samtykke_dato samtykkedato"
    " dato_for_samtykke samtykke_givet_den",
    "consent_text": "consent_text consent_version consent_text_version samtykketekst samtykke_tekst"
    " samtykke_version samtykketekst_version",
    "namespace": "namespace reference_system referencesystem referencens_system",
    "zone": "zone tidszone timezone tz time_zone",
}

SYNONYMS: Mapping[str, str] = {
    name: field for field, names in _NAMES.items() for name in names.split()
}
"""Column headings in Danish and English, and as common membership systems export them -> field."""

DO_NOT_CALL, MAY_CALL, DECEASED = "do_not_call", "may_call", "deceased"
OPT_OUTS = frozenset({DO_NOT_CALL, MAY_CALL, DECEASED})
"""Fields that several columns may hold; each of them counts."""

FIELDS = frozenset(SYNONYMS.values()) | OPT_OUTS

MOST_LETTERS = 200
"""A longer heading is not recognised."""

_LOCKED = ("do_not_modify_", "må_ikke_ændres_")
"""Begin the headings of columns that Dynamics 365 protects in its exports; it is no opt-out."""

_NOISE = re.compile(
    r"contact|kontakt|person|primary|primær|preferred|main|cn|bio|ph|adr|prf|c|lead|the|privat"
    r"|private|arbejde|home|hjem|work|business|npsp|npo02|npe01|msnfp|contact1"
)
"""Words that exporting systems add to a field's name."""

_PHONE_KIND = re.compile(
    r"(mobil|mob|fastnet|privat|hjemme|arbejds)?(telefon|tlf|tel|phone)(nr|nummer)?|tele|mob"
    r"|mobil|mobile|mobil(nr|nummer)|telephone|cell|cellphone|(work|home|other|mobile)phone|fastnet(nr|nummer)?"
)
"""Words for a telephone: a heading of such words and of words that narrow them down is a number."""
_PHONE_QUALIFIER = re.compile(
    r"nr|no|num|nummer|number|fast|hjemme|arbejds|office|kontor|sekundær|secondary|alternativ"
    r"|alternative|anden|other|dag|day|aften|evening"
)
_OTHER_PHONE = re.compile(r"other|anden|alternativ\w*|sekundær|secondary")
_DYNAMICS = ("telephone1", "telephone2", "telephone3")
"""Dynamics 365 keeps the telephones at work and at home so, beside `mobilephone`."""
_WORK_PHONE = re.compile(r"work|workphone|business|office|kontor\w*|arbejd\w*|job")

_PHONE = re.compile(
    r"phone\w*|call|calls|called|calling|telephone\w*|telefon\w*|tlf|ring|ringe|ringes|ringet|opkald\w*"
    r"|opringning\w*|mobil\w*|telemarketing|contact|contacts|contacted|kontakt|kontaktes|kontaktet"
    r"|henvendelse\w*|ringning\w*"
)
_NO = re.compile(
    r"not|dont|don|never|no|stop|stopped|stopper|ikke|ej|ingen|nej|donotphone|donotcontact|ringikke|aldrig|undgå|dnc|donotcall|nocalls?|dontcall|dncall|dnp|decline\w*"
    r"|refus\w*|forbid\w*|exclude\w*|reject\w*|avoid|unsubscribe\w*|frabed\w*|fravalg\w*|frameld\w*"
    r"|afmeld\w*|afvis\w*|objection\w*|indsigelse\w*|object|objects|objected|opposed|without|uden|undtag\w*"
)
_BLOCK = re.compile(
    r"\w*reserv(?:eret|ation)\w*|\w*spær\w*|\w*spaer\w*|block\w*|bloker\w*|robinson\w*|blacklist\w*|sortlist\w*|suppress\w*"
    r"|reklamebeskyt\w*|optout\w*|optedout|tps|ctps|opt_out|opted_out|fritaget|nixed|nix\w*"
)
_PERMITS = re.compile(
    r"må|maa|may|allow\w*|permission\w*|permit\w*|tillad\w*|\w*tilladelse\w*|\w*samtykke\w*|\w*beskyt\w*|consent\w*|konsent\w*"
    r"|accept\w*|gdpr|optin\w*|opt_in|opted_in|opted|opt|markedsføring\w*|marketing|ok|kan|can"
)
OTHER_CHANNELS = re.compile(
    r"email\w*|mail|mails|emails|e|sms|text|texts|fax|post|brev|breve|letter|letters|newsletter\w*"
    r"|nyhedsbrev\w*|skriftlig\w*|schriftlich\w*|mejl|epost|brief|briefe|trade|bulk|web|cookie\w*|postal|dm|magasin\w*|magazine\w*|blad|print|whatsapp"
    r"|facebook|addresses|address|adresse|reklame\w*post"
)
_FILLER = re.compile(
    r"do|to|be|is|er|has|har|been|please|tak|på|mod|the|from|for|af|og|and|or|on|in|listen"
    r"|list|liste|status|flag|dato|date|kode|code|since|siden|til|må|mere|more|me|us|os|any"
    r"|at|her|his|at|via|by|med|with|op|of|member|medlem|person|donor|kunde|customer|user"
    r"|all|everything|alt|alle|solicit|solicitation|information|we|s|t|c|sig|at|blive"
    r"|bliver|der|som|ønsker|wants|want|wishes|wish|requests|request|requested|modtage"
    r"|receive|modtager|public|register|registered|registreret|den"
)
_DEATH = re.compile(
    r"død|dod|doed|bortgået|bortgang|døde|dødsdato|dods\w*|døds\w*|deceased|dead|death|died|afdød\w*|mors"
)
_DENIED_DEATH = re.compile("not|ikke|no|ingen|nej")
_BIRTH = re.compile(
    r"birth\w*|dob|født|føds\w*|fødselsd\w*|foedsel\w*|fodsel\w*|fødeda\w*|födelse(?:dag|datum|tid)|geburts(?:datum|tag)|geboortedatum"
    r"|naissance|nacimiento|nascita|urodz\w*|syntym\w*|bday"
)
_NOT_A_DATE = re.compile(r"sted|place|by|city|country|land|name|navn|weight|\w*sted|\w*navn")
_OTHER_AGES = re.compile(r"fødselsår|foedselsaar|fødeår|birthyear|yob|alder\w*|årgang|aldersgruppe")
_SECRET = re.compile(r"cpr\w*|personnummer|personnr|ssn|cpr_nr|national_id\w*|socialsecurity\w*")
_PROTECTED = re.compile(
    r"klage\w*|complain\w*|værge\w*|guardian\w*|umyndig\w*|sårbar\w*|vulnerable|dement\w*|mindreårig\w*|minor"
    r"|barn|child|under18|demens|børnemedlem\w*|\w*forbud|(ringe|telefon|opkalds|kontakt|tm|tele)stop|stopkode|karantæne"
    r"|telefonfred|fred|fredet|uønsket|udeluk\w*|eksklud\w*|slettet|slettes|sletning|deleted|erase[ds]?|forgotten|anonymi\w*|hemmelig\w*"
    r"|telefonmarkedsføring\w*"
)
"""Words for people who may not be called for a reason that no field holds."""
_CONTACT_BY_PHONE = re.compile(
    r"\b(?:kontakt\w*|contact\w*|henvendelse\w*) (?:via|by|per|pr|på|on|over) (?:telefon\w*|tlf|phone|mobil\w*)\b"
    r"|\b(?:telefonisk|phone|telephone|telefon) (?:kontakt|contact|contacts|henvendelse\w*)$"
    r"|^(?:telefonopkald|phone calls?)$"
)
"""Whose cells say yes or no to calls."""
_NUMBER_OF = re.compile(r"\bno\b(?=( of\b|$))|^no\b(?=\.)")


_OTHER_LANGUAGES = re.compile(
    r"\w*sperr\w*|\w*spärr\w*|\w*widerspr\w*|einspruch|\w*verbot\w*|\w*förbud|\w*reservasjon\w*|reservert\w*"
    r"|reserverad\w*|innsigelse\w*|invändning\w*|(ring|telefon|kontakt|samtals?)stopp|avregistrer\w*"
    r"|verstorben\w*|gestorben|todes\w*|sterbe\w*|avlid\w*|död|döds\w*|avdød\w*|overleden|décédé\w*"
    r"|minderjährig\w*|minderårig\w*|unter18|vergemål|verge|förvaltare|betreu\w*|vormund\w*|demenz"
    r"|geheim\w*|hemligt?|geburtsjahr|födelseår|jahrgang|jg"
)
"""German, Swedish and Norwegian words that name an opt-out, a death, protection or an age by themselves."""
_OTHER_NO = re.compile(
    r"nicht|kein\w*|nie|niemals|inte|inga|inget|ej|ikkje|ikke|nein|nei|werbung|telefonwerbung"
    r"|einwillig\w*|erlaub\w*|darf|zustimm\w*|samtyck\w*|tillåt\w*|tillat\w*|callable|uncallable|ringbar"
    r"|kontaktbar"
)
_OTHER_PAIRS = ("god man", "unter 18", "får ringas", "får kontaktas")
_COUNTRY = re.compile(
    r"(bopæls|hjem|bolig|adresse|telefon|tlf|mobil|post)?land|lande?kode|landenavn|country|countrycode|nation|nationality|nationalitet"
    r"|länder(code|kennung|kürzel)|landskod"
)
_COUNTRY_DETAIL = re.compile(
    r"region|code|kode|iso|iso2|iso3|of|residence|bopæl|adresse|address|post|postal|mail|mailing|billing"
    r"|shipping|name|navn|tlf|telefon|phone|mobil|mobile|nr|nummer|number|\d+"
)


def folded(heading: str) -> str:
    """The normalised heading, by which its column is identified."""
    return subject.fold(heading).replace(" ", "_")


@lru_cache(maxsize=4096)
def words(heading: str) -> tuple[str, ...]:
    """A heading's words in lower case; `HasOptedOutOfCall__c` has several."""
    return tuple(re.sub(r"[\W_]+", " ", comparable(heading[:MOST_LETTERS])).split())


@lru_cache(maxsize=4096)
def field(heading: str) -> str | None:
    """The field that the heading names; None when no field is certain."""
    synonym = SYNONYMS.get("_".join(words(heading)))
    if synonym is not None:
        return synonym
    if len(folded(heading)) > MOST_LETTERS or "_".join(words(heading)).startswith(_LOCKED):
        return None
    is_sensitive, certain_field = _classified(words(heading), heading)
    if is_sensitive:
        return certain_field
    if _is_country(words(heading)):
        return "country"
    joined = "".join(words(heading))
    if joined in _JOINED:
        return _JOINED[joined]
    own_words = [
        word for word in words(heading) if not _NOISE.fullmatch(word) and not word.isdigit()
    ]
    kinds = [word for word in own_words if _PHONE_KIND.fullmatch(word)]
    if kinds and all(word in kinds or _PHONE_QUALIFIER.fullmatch(word) for word in own_words):
        return "phone"
    return SYNONYMS.get("_".join(own_words)) if own_words else None


def _is_country(parts: tuple[str, ...]) -> bool:
    """Whether a heading of several words names the country of an address or of a number."""
    countries = [word for word in parts if _COUNTRY.fullmatch(word)]
    details = [word for word in parts if word not in countries]
    return bool(countries) and all(
        _COUNTRY_DETAIL.fullmatch(word) or _NOISE.fullmatch(word) for word in details
    )


def phone_rank(heading: str) -> int:
    """Which column of numbers is called first: the person's own, then another one, then that at work."""
    parts = words(heading)
    if any(_WORK_PHONE.fullmatch(word) for word in parts):
        return 2
    return int("".join(parts) in _DYNAMICS or any(map(_OTHER_PHONE.fullmatch, parts)))


_JOINED = {name.replace("_", ""): field for name, field in SYNONYMS.items() if len(name) > 4}


def is_doubtful(heading: str) -> bool:
    """Whether a column may say that a person must not be called or is a child, without a certain field."""
    if len(folded(heading)) > MOST_LETTERS:
        return True
    plain = "_".join(words(heading))
    if plain in SYNONYMS or plain.startswith(_LOCKED):
        return False
    is_sensitive, certain_field = _classified(words(heading), heading)
    return is_sensitive and certain_field is None


_CALLING = re.compile(r"tm|telefonsalg|salgsopkald|anruf\w*|dialog")


def is_about_calls(heading: str) -> bool:
    """Whether the heading names calls: under `Telemarketing` a no is an opt-out."""
    return any(_PHONE.fullmatch(word) or _CALLING.fullmatch(word) for word in words(heading))


def _classified(parts: tuple[str, ...], heading: str) -> tuple[bool, str | None]:
    """Whether the heading is about an opt-out, a death, protection or a birthday, and its field if that is certain.

    An opt-out of other channels than the telephone is none of these.
    """
    joined = " ".join(parts)
    if any(_SECRET.fullmatch(word) for word in (*parts, "".join(parts))):
        return True, None
    if any(_DEATH.fullmatch(word) for word in parts):
        denied = any(_DENIED_DEATH.fullmatch(word) or _BIRTH.fullmatch(word) for word in parts)
        return True, None if denied else DECEASED
    if any(_OTHER_AGES.fullmatch(word) for word in parts) or "birth year" in joined:
        return True, None
    if any(_PROTECTED.fullmatch(word) for word in parts) or joined in (
        "under 18",
        "passed away",
        "sovet ind",
    ):
        return True, None
    if any(_BIRTH.fullmatch(word) for word in parts):
        if any(_NOT_A_DATE.fullmatch(word) for word in parts):
            return False, None
        return True, "born"
    is_sensitive, certain_field = _opt_out(joined, heading)
    return is_sensitive or _other_language(parts, joined), certain_field


def _other_language(parts: tuple[str, ...], joined: str) -> bool:
    """The same in German, Swedish or Norwegian: somebody says what the column is."""
    if any(map(OTHER_CHANNELS.fullmatch, parts)) and not any(map(_PHONE.fullmatch, parts)):
        return False
    return any(pair in joined for pair in _OTHER_PAIRS) or any(
        _OTHER_LANGUAGES.fullmatch(word) or _OTHER_NO.fullmatch(word) for word in parts
    )


def _opt_out(joined: str, heading: str) -> tuple[bool, str | None]:
    plain = re.sub(r"\b(opt|opted)( \w+)? (out|in)\b", r"\1_\3", joined)
    plain = re.sub(r"\be mail", "email", plain).replace("direct mail", "dm")
    if _NUMBER_OF.search(joined) or re.search(r"\bno\.", heading.casefold()):
        plain = re.sub(r"\bno\b", "", plain)  # `Phone No.` is a number
    parts = plain.split()
    blocks = [word for word in parts if _BLOCK.fullmatch(word)]
    negations = [word for word in parts if _NO.fullmatch(word) and word not in blocks]
    phone = [word for word in parts if _PHONE.fullmatch(word) and word not in (*blocks, *negations)]
    permits = [word for word in parts if _PERMITS.fullmatch(word) and word not in blocks]
    if not blocks and not negations:
        if not permits:
            return _CONTACT_BY_PHONE.search(joined) is not None, None
        unknown = _unknown_words(parts, {*permits, *phone})
        certain = bool(phone) and not unknown
        return (True, MAY_CALL) if certain else (bool(phone) or _is_about_consent(permits), None)
    other_channels = [word for word in parts if OTHER_CHANNELS.fullmatch(word)]
    if other_channels and not phone:
        return False, None
    if blocks and {"not", "ikke", "no", "ingen", "without", "uden"} & set(negations):
        return True, None  # `ikke reserveret`: a negated opt-out
    if permits and not negations:
        return True, None
    unknown = _unknown_words(parts, {*blocks, *negations, *phone, *other_channels, *permits})
    return True, None if unknown else DO_NOT_CALL


def _unknown_words(parts: list[str], known: set[str]) -> list[str]:
    return [
        word
        for word in parts
        if word not in known
        and not word.isdigit()
        and not _FILLER.fullmatch(word)
        and not _NOISE.fullmatch(word)
    ]


def _is_about_consent(permits: list[str]) -> bool:
    return any(word not in ("må", "may", "ok", "kan", "can", "maa") for word in permits)


_COUNTED = re.compile(
    r"id|ref|reference|no|nr|lbnr|lobenr|løbenr|løbenummer|række|row|row_number|index"
)
"""Headings under which a sheet may number its rows; a member number has a heading of its own."""


def may_be_counted(heading: str) -> bool:
    """Whether the column may contain row numbers."""
    return _COUNTED.fullmatch("_".join(words(heading))) is not None
