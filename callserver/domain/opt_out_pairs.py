"""Pairs of words, as they follow each other in a cell, that may say: do not call this person."""

BIGRAMS = frozenset(
    {
        *(
            *(f"under {age}" for age in range(13, 19)),
            *("u 18", "psykisk syg"),
            "passed away",
            "gået bort",
            "sovet ind",
            "stille ind",
            "opt out",
            "opted out",
            "no tm",
            *("nej liste", "nej listen", "no list"),
            *("træt af", "sur over"),
        ),
        *(
            "aldrig igen",
            "aldrig mere",
            "aldri mer",
            "never again",
            "nie wieder",
            "sagt nej",
            "siger nej",
        ),
        *(
            "af listen",
            "off list",
            "from list",
            "hemmeligt nummer",
            "hemmeligt nr",
            "god man",
            "unter 18",
        ),
    }
)
"""In a short cell."""

PHRASES = frozenset(
    {
        *("blive glemt", "be forgotten"),
        *("slet mig", "fjern mig", "glem mig", "remove me", "delete me", "forget me", "me off"),
        *("me alone", "leave alone", "trukket tilbage", "trækker samtykke", "sort liste"),
        *("wrong number", "forkert nummer", "forkert nr", "fel nummer", "feil nummer"),
        *("forkert person", "fejl nummer", "fejl nr", "gammelt nummer", "gammelt nr", "ny ejer"),
        *("ikke benyttes", "benyttes ikke", "ikke anvendes", "anvendes ikke", "bruges ikke"),
        *("gik bort", "sov ind", "skriv kun"),
        *("ikke bruges", "ikke bruge", "brug ikke", "not use", "dont use", "nicht verwenden"),
        *("hemmelig adresse", "beskyttet adresse", "fortrolig adresse", "sperret adresse"),
        *("skyddad adress", "ej användas", "inte användas", "säger nej", "sier nei"),
    }
)
"""In a note of any length."""

THANKS = frozenset(
    {"nej tak", "nej tk", "nej tack", "nei takk", "nein danke", "no thanks", "no thank you"}
)
"""The whole cell."""

ESTATES = frozenset({"boet efter", "estate of", "nachlass von", "v værge", "ved værge"})
"""Also beside a name."""
