"""Writes a mark and the fields of its audit entry: the row and the pseudonymous key, never the subject."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from callserver.database import marks, pseudonymous_keys
from callserver.domain.audit import stamp
from callserver.domain.marks import MarkKind
from callserver.ports import Tx

CONSENTS = (MarkKind.CONSENT_GIVEN, MarkKind.CONSENT_REVOKED)


def mark(
    tx: Tx,
    about: str,
    kind: MarkKind,
    at: datetime,
    now: datetime,
    *,
    by: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a mark about a subject; the fields of its entry. `at`: since when it holds."""
    key = marks.mark(tx, about, kind, at, detail, by)
    fields: dict[str, Any] = {
        "mark": kind.value,
        "rows": pseudonymous_keys.rows(tx, [(key, about)]),
        "by": by,
        "holds_from": None if at == now else stamp(at),
        "detail": pseudonymous_keys.digest(tx, detail),
    }
    if kind in CONSENTS:
        stated = detail or {}
        fields["phone"] = bool(stated.get("phone", True))
        fields["proof"] = bool(stated.get("proof", False))
    return {name: value for name, value in fields.items() if value is not None}
