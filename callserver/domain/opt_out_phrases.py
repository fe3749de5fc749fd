"""Finds, in a cell of any column, words that may say: do not call this person.

A user is asked about such a column, so a false match costs a question and a missed one a wrong call. Phrases
about other channels only (`Nej tak til nyhedsbrev`) do not count.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise

from callserver.domain.comparable_text import comparable, repaired
from callserver.domain.heading_words import MOST_LETTERS, OTHER_CHANNELS, words
from callserver.domain.opt_out_pairs import BIGRAMS, ESTATES, PHRASES, THANKS

SHORT = 4
"""In words; a longer cell is a note."""

MOST_REMEMBERED = 50_000
"""Words that a search remembers."""

_NEGATION = re.compile(
    r"ikke|ikk|ik|aldrig|ej|never|not|dont|cannot|cant|no|ingen|nej|undlad|undgå|avoid|refus\w*|declin\w*|afvis\w*|nægt\w*"
    r"|frabed\w*|uønsket|uønskede|lad|nicht|kein\w*|nie|niemals|inte|inga|inget|ikkje|aldri|nei|nein"
    r"|fravalgt|fravælger|unerwünscht\w*|oönskad\w*"
)
_HOURS = re.compile(r"før|efter|mellem|inden|before|after|between|until")
"""`Ring ikke før kl. 17` is about the time."""
_AFTER_CALL = re.compile(
    r"ikke|ikk|ik|aldrig|ej|never|not|nej|no|frabed\w*|stop|forbudt|uønsket|inte|nicht|nein|nei|ikkje|aldri"
    r"|fravalgt|unerwünscht\w*|oönskad\w*"
)
_CALL = re.compile(
    r"ring|ringe|ringes|opring\w*|opkald\w*|kontakt|kontakte|kontaktes|call|calls|calling|phone|phones"
    r"|phoning|telefon|telefonen|telefonisk|telefonopkald|telephone|tlf|tm|telemarketing|contact|contacts"
    r"|telefonmarketing|telefonsalg|telefonsælger\w*"
    r"|henvendelse\w*|anruf\w*|angerufen|telefonat\w*|telefonanruf\w*|telefonieren|kontaktier\w*|kontaktiert"
    r"|werbung|ringa|ringas|uppringd|samtal|telefonsamtal\w*|kontakta|kontaktas|kontaktad|oppringt"
    r"|telefonkontakt\w*|telefonwerbung|telefonisch|telemarketings|forstyr|forstyrres|disturb"
    r"|disturbed|störas|stören|gestört|forstyrret|samtale|samtaler|tel"
)
_MARKETING = re.compile(
    r"markedsføring|markedsføres|marketing|marknadsföring|solicit|solicitations?"
)
"""A call as well, unless the cell names another channel."""
_PAST = re.compile(r"ringet|ringt|kontaktet|called|contacted|phoned")
"""`Ikke kontaktet` says what happened; `ønsker ikke at blive kontaktet` what the person wants."""
_PASSIVE = re.compile(r"blive|bliver|bli|blir|be|being")
_BETWEEN = re.compile(
    r"at|blive|bliver|skal|må|vil|mere|længere|igen|pr|på|per|to|be|being|get|have|any|more|via|med|om|os|tak|til"
    r"|for|op|flere|with|by|me|us|please|want|wants|ønsker|under|ingen|omstændigheder|nogen|måde|være|længere"
    r"|å|bli|blir|att|mer|mehr|fler|weitere|wieder|werden|bitte|over|till|ha|tack|takk|tak|or|eller|nor"
)
_PRONOUN = re.compile(
    r"hende|ham|dem|mig|os|op|til|venligst|ønskes|him|her|them|please|me|us|personen|medlemmet|endelig"
)
_NEGATED_PAIRS = frozenset(
    {
        *(("høre", "fra"), ("hear", "from"), ("i", "live"), ("lever", "ikke"), ("i", "fred")),
        *((whom, "være") for whom in ("hende", "ham", "dem", "mig", "os", "personen")),
    }
)
"""Beside a negation: `vil ikke høre fra jer`, `ikke længere i live`, `lad ham være`."""
_CERTAIN_PAIRS = frozenset(
    {("blive", "slettet"), ("blive", "fjernet"), ("be", "removed"), ("be", "deleted")}
)
"""`Har bedt om at blive slettet`."""
_NUMBER = re.compile(r"nr|nummer|number|no")
_CERTAIN = re.compile(
    r"frabed\w*|dnc|donotcall|nocall|nocalls|ringikke|robinsonliste\w*|telefonfred|\w*ringeforbud|\w*opkaldsforbud"
    r"|\w*telefonspær\w*|\w*ringespær\w*|\w*ringspær\w*|\w*opkaldsspær\w*|klage\w*|complain\w*|værgemål\w*|umyndig\w*"
    r"|forbrugerombud\w*|datatilsyn\w*"
    r"|\w*sperre|sperrvermerk|\w*widerspruch|\w*verbot|ringspärr|telefonspärr|samtalsspärr|kontaktförbud|telefonreservasjon|vergemål|vormundschaft|dødsbo\w*|dödsbo\w*"
    r"|nejtak|reklamebeskyt\w*|telefonstop|ringestop|kontaktstop|opkaldsstop|tmstop|\w*spærreliste\w*|\w*sperrliste|widerruf\w*"
    r"|reservasjonsregisteret|politianmeld\w*|chikane\w*|harass\w*|reservationsregistret"
)
"""In a note of any length."""
_STATUS = re.compile(
    r"frameld\w*|reserverede|reserveret|robinson|blacklist\w*|sortlist\w*|block|blocked|bloker\w*|\w*spærrede|\w*spærret|spær"
    r"|unsubscribe\w*|optout|optedout|suppressed|nix|tps|ctps|stop|fredet|fred|sårbar|vulnerable|dement|værge"
    r"|guardian|mindreårig|minor|barn|child|børnemedlem|juniormedlem|slet|slettet|deleted|anonymi\w*|sletning|karantæne|fjern"
    r"|fjernet|fjernes|slettes|remove|removed|erased|kontaktforbud|gesperrt|sperret|spärrad|spärr"
    r"|widersprochen|reservert|reserverad|minderjährig\w*|minderårig\w*|betreuung|förvaltare|verge"
    r"|demens|demenz|dementia|alzheimer\w*|inhabil|udviklingshæm\w*|u18|børne|junior|juniorer|ungdomsmedlem\w*"
    r"|minimedlem\w*|navnebeskyt\w*|adressebeskyt\w*|adressebeskytt\w*|beskyttet|protected|hemmelig|fortrolig"
    r"|skyddad|skyddade|withdrawn|revoked|tilbagetrukket|tilbagekaldt|återkallat|indsigelse\w*|objection\w*"
    r"|objects|objected|begravet|fravalgt|avregistrerad"
)
"""In a short cell; a long one uses these words for other things."""
_DEATH = re.compile(
    r"død|døden|døende|dødsfald|dod|doed|døde|bortgået|afdød\w*|deceased|decd|dead|died|rip|verstorben\w*|verst|gestorben"
    r"|avliden|avlidna|död|avdød\w*"
)
_CONSENT = re.compile(
    r"\w*samtykke\w*|consent|consents|\w*samtycke\w*|\w*einwilligung\w*|konsent|tilladelse"
)
_NO_CONSENT = re.compile(
    r"trukket|tilbagetrukket|tilbagekaldt|withdrawn|withdrew|withdraws|revoked|udløbet|expired"
    r"|nej|no|nei|nein|ingen|intet|inget|ikke|not|mangler|missing|without|uden|keine|avslått|återkallat|nekad"
)
"""Beside a word for consent."""
_LISTED_CHANNEL = re.compile(
    r"\b(?:e )?(?:mail|email|sms|post|brev|write|skriv) (?:or|eller|nor|oder) "
)
"""`Do not mail or call`."""
_INSTEAD = re.compile(
    r"for at (?:ringe|kontakte)|instead of (?:calling|phoning)|statt (?:anzurufen|anruf)"
)
_DENIED = re.compile(r"ikke|not|no|ingen|nej|født|birth")
_ONLY = re.compile(r"kun|only|udelukkende|nur|endast|enbart|bare|bara")
_NOTE = re.compile(r"[(\[]([^()\[\]]{1,60})|\s-+\s([^-]{1,60})")
"""What stands in brackets or after a dash."""
_ALTERNATIVES = "|".join(
    pattern.pattern
    for pattern in (_NEGATION, _AFTER_CALL, _CERTAIN, _STATUS, _DEATH, _ONLY, _CONSENT)
).split("|")
_DAGGERS = ("\u2020", "\u271d")
_PARTS = (
    *_DAGGERS,
    *(alternative.replace(r"\w*", "") for alternative in _ALTERNATIVES if "*" in alternative),
)
_PAIRS = BIGRAMS | ESTATES | PHRASES | THANKS
_WORDS = frozenset(
    {*_ALTERNATIVES, "tot", "hold", "stedet", "instead", "statt", *" ".join(_PAIRS).split()}
) - {
    *map(str, range(13, 19)),
    *(
        "i",
        "me",
        "mig",
        "be",
        "blive",
        "tak",
        "thank",
        "you",
        "use",
        "bruge",
        "nummer",
        "nr",
        "number",
        "person",
    ),
}
"""At least one word of everything that says no; `18` alone is a house number, and frequent
words count only beside a rarer one."""
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile("[^\\W\\d_]+(?:['\u2019]+[^\\W\\d_]+)*")
"""A word with its apostrophes: `don't` is compared as `dont`."""
_ASCII_WORDS = "".join(
    sign if sign.isalpha() or sign == "'" else " " for sign in map(chr, range(128))
)
"""Translates a text of ASCII into words between spaces: in a fifth of the time."""
_CROSS = re.compile("(?<![^\\W\\d_])[\u2020\u271d]|[\u2020\u271d](?![^\\W\\d_])")
"""A dagger for somebody who died. Inside a word it is a letter of another encoding: `P\u2020l`."""
_LOST = re.compile("(?<=[A-Za-z])[?\ufffd](?=[a-z])")
"""In the place of a letter that another program could not keep: `d?d`."""
_LETTER = re.compile("[^\\W\\d_]|[\u2020\u271d]")


def _with_lost(text: str) -> str:
    """A text, and what it may have been where letters were lost."""
    if not ("?" in text or "\ufffd" in text) or not _LOST.search(text):
        return text
    return "\n".join([text, *(_LOST.sub(letter, text) for letter in "æøå")])


def may_say_no(text: str) -> bool:
    """Whether a text, of one cell or of many, is worth reading cell by cell."""
    if not _LETTER.search(text):
        return False
    plain = comparable(_with_lost(text))
    return any(part in plain for part in _PARTS) or not _WORDS.isdisjoint(_WORD.findall(plain))


class Search:
    """Finds the cells that may say no among many. A word that means nothing is looked at once."""

    def __init__(self) -> None:
        self._harmless: set[str] = set()

    def cells(self, cells: Collection[str]) -> list[str]:
        """Those of the cells for which `may_say_no` is true."""
        text = _with_lost(repaired("\n".join(cells)))
        if text.isascii():
            words = text.translate(_ASCII_WORDS).split()
        else:
            text = unicodedata.normalize("NFKC", text)
            words = _LETTERS.findall(text)
        found = set(words) - self._harmless
        if not may_say_no("\n".join(found)) and not any(sign in text for sign in _DAGGERS):
            if len(self._harmless) > MOST_REMEMBERED:
                self._harmless.clear()
            self._harmless |= found
            return []
        if len(cells) == 1:
            return list(filter(may_say_no, cells))
        listed = list(cells)
        half = len(listed) // 2
        return self.cells(listed[:half]) + self.cells(listed[half:])


@lru_cache(maxsize=4096)
def says_no(cell: str) -> bool:
    """Whether the cell may say that the person must not be called, or is dead, a child or under guardianship."""
    if _LOST.search(cell[:MOST_LETTERS]):
        return any(_says_no(_LOST.sub(letter, cell[:MOST_LETTERS])) for letter in "æøå?")
    return _says_no(cell)


def _says_no(cell: str) -> bool:
    parts = words(cell)
    if _is_certain(cell, parts) or _only_other_channel(parts) or " ".join(parts) in THANKS:
        return True
    pairs = {" ".join(pair) for pair in pairwise(parts)}
    if pairs & (PHRASES | ESTATES) or _no_consent(parts):
        return True
    is_status = len(parts) <= SHORT and (
        any(map(_STATUS.fullmatch, parts)) or bool(pairs & BIGRAMS)
    )
    return is_status and (any(map(_CALL.fullmatch, parts)) or not _other_channel(parts))


@lru_cache(maxsize=4096)
def name_says_no(name: str) -> bool:
    """The same for a name: `Anna Prøve (død)`. Words that are names as well count in a note beside it only."""
    pairs = {" ".join(pair) for pair in pairwise(words(name))}
    return (
        _is_certain(name, words(name))
        or bool(pairs & (ESTATES | THANKS))
        or any(says_no(note) for match in _NOTE.findall(name) for note in match if note)
    )


def _is_certain(cell: str, parts: Sequence[str]) -> bool:
    if _CROSS.search(cell):
        return True
    if parts == ("tot",):  # German for dead; in a longer cell it may be a total
        return True
    joined = " ".join(parts)
    if _LISTED_CHANNEL.search(joined):
        parts = _LISTED_CHANNEL.sub("", joined).split()
    calls = [at for at, word in enumerate(parts) if _is_call(parts, word) or _PAST.fullmatch(word)]
    if any(map(_CERTAIN.fullmatch, parts)) or _is_dead(parts):
        return bool(calls) or not _other_channel(parts)
    pairs = set(pairwise(parts))
    if calls and ("hold", "op") in pairs:  # `hold op med at ringe`
        return True
    if pairs & _CERTAIN_PAIRS:
        return calls != [] or not _other_channel(parts)
    if pairs & _NEGATED_PAIRS and any(map(_NEGATION.fullmatch, parts)):
        return True
    if _INSTEAD.search(joined):
        return True
    negated = any(_negated(parts, at) for at in range(len(parts)))
    return negated or any(_call_then_no(parts, at) for at in calls)


def _is_call(parts: Sequence[str], word: str) -> bool:
    if _CALL.fullmatch(word):
        return True
    return _MARKETING.fullmatch(word) is not None and not _other_channel(parts)


def _no_consent(parts: Sequence[str]) -> bool:
    """`samtykke: nej`, `har trukket sit samtykke tilbage`, in a short cell and about no other channel."""
    consent = [at for at, word in enumerate(parts) if _CONSENT.fullmatch(word)]
    if not consent or len(parts) > 2 * SHORT or not any(map(_NO_CONSENT.fullmatch, parts)):
        return False
    beside = (
        word for at in consent for word in (*parts[max(at - 1, 0) : at], *parts[at + 1 : at + 2])
    )
    about_calls = any(map(_CALL.fullmatch, parts)) and any(map(_NO_CONSENT.fullmatch, beside))
    return about_calls or not _other_channel(parts)


def _other_channel(parts: Sequence[str]) -> bool:
    return any(map(OTHER_CHANNELS.fullmatch, parts))


def _is_dead(parts: Sequence[str]) -> bool:
    return any(map(_DEATH.fullmatch, parts)) and not any(map(_DENIED.fullmatch, parts))


def _negated(parts: Sequence[str], at: int) -> bool:
    """A negation, and then a call: `må ikke ringes op`, `no more calls`."""
    if not _NEGATION.fullmatch(parts[at]):
        return False
    passive = False
    for ahead, word in enumerate(parts[at + 1 :], at + 1):
        if _is_call(parts, word):
            following = parts[ahead + 1 : ahead + 2]
            return not (following and _NUMBER.fullmatch(following[0]))
        if _PAST.fullmatch(word):
            return passive
        if not _BETWEEN.fullmatch(word):
            return False
        passive = passive or _PASSIVE.fullmatch(word) is not None
    return False


def _call_then_no(parts: Sequence[str], at: int) -> bool:
    """A call, and then a negation: `ring ikke`, `kontakt hende aldrig`, `telefon: nej`."""
    for ahead, word in enumerate(parts[at + 1 :], at + 2):
        if _AFTER_CALL.fullmatch(word):
            about_time = any(map(_HOURS.fullmatch, parts[ahead : ahead + 1]))
            return not about_time and not _PAST.fullmatch(parts[at])
        if not _PRONOUN.fullmatch(word):
            return False
    return False


def _only_other_channel(parts: Sequence[str]) -> bool:
    """`kun mail`, `email only`, `må kun kontaktes på brev`."""
    for at, word in enumerate(parts):
        if not _ONLY.fullmatch(word):
            continue
        if at and OTHER_CHANNELS.fullmatch(parts[at - 1]):
            return True
        for after in parts[at + 1 :]:
            if OTHER_CHANNELS.fullmatch(after):
                return True
            may_follow = any(some.fullmatch(after) for some in (_BETWEEN, _CALL, _PAST))
            if not may_follow and after not in ("e", "skriftligt"):
                break
    return False
