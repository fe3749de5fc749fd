"""Which headings of columns of yes and no cannot be about calls; every other such column is asked about."""

import re

from callserver.domain.heading_words import OTHER_CHANNELS, is_about_calls, words

_HARMLESS = re.compile(
    r"aktiv|active|betalt|betaler|paid|betalingsservice|bs|pbs|mobilepay|magasin|frivillig|volunteer|bestyrelse|board"
    r"|fadder|sponsor|giver|gave|gaver|gift|donor|arv|testamente|fuldmagt|formand|kasserer|leder|kvinde|mand|køn"
    r"|gender|samlever|børn|vip|favorit|favourite|favorite|test|studerende|student|pensionist|senior|bil|hund"
    r"|kat|have|hus|firma|virksomhed|company|ny|new|er|is|har|has|via|på|i|af|er|medlem|member|aftale|dankort"
    r"|kontingent|fast|månedlig|monthly|årlig|yearly|skattefradrag|fradrag"
)
"""Words of flags that are about membership, payment or the person, and not about calls."""


def may_be_a_flag(heading: str) -> bool:
    """Whether a column of yes and no with this heading may be about calls."""
    parts = words(heading)
    other_channels = any(map(OTHER_CHANNELS.fullmatch, parts))
    if not parts or (other_channels and not is_about_calls(heading)):
        return not parts
    return not all(_HARMLESS.fullmatch(word) or word.isdigit() for word in parts)
