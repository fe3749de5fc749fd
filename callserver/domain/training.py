"""What a phoner may do follows from what they have signed. Pure: facts in, answers out.

Rule: missing data never permits. A document that cannot be found, or of which nobody knows since when its
version is in force, counts as not signed and without a grace period.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document, since when it is in force, and since when for the first time."""

    document: str
    version: str
    since: datetime
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    document: str
    version: str
    at: datetime


def unsigned(
    required: Sequence[str], in_force: Mapping[str, str], signed: Collection[tuple[str, str]]
) -> tuple[str, ...]:
    """The required documents whose version in force is not signed. `signed`: document and version."""
    return tuple(name for name in required if (name, in_force.get(name)) not in signed)


def grace_until(
    versions: Sequence[Version],
    signatures: Sequence[Signature],
    added_at: datetime | None,
    grace_days: int,
) -> datetime | None:
    """Until when an unsigned document keeps nobody from making calls; None: it does so at once.

    The grace period is for a version that came while the user was already at work: who has signed an
    earlier one, or was here before the document. It runs from the first version that they have not seen.
    `versions`, `signatures`: of this document.
    """
    last = max((signature.at for signature in signatures), default=None)
    known = last or added_at
    if known is None:
        return None
    unseen = [version.first_at for version in versions if version.first_at > known]
    if not unseen or (last is None and len(unseen) < len(versions)):
        return None
    return min(unseen) + timedelta(days=grace_days)
