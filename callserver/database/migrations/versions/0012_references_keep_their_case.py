"""References that differ by the case of their letters only are different people: their keys change"""

import hashlib
import unicodedata
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_contacts = sa.table("contacts", sa.column("id"), sa.column("ref"), sa.column("person"))
_calls = sa.table("calls", sa.column("contact"), sa.column("person"))
_about = {
    "suppressions": ("scope", "purpose", "at", "lifted_at", "by", "list", "heard", "opt_out"),
    "marks": ("kind", "at", "detail"),
}


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"ref\0{text}".encode(), digest_size=8).digest()) >> 1


def _exact(ref: str) -> int:
    return _key(" ".join(unicodedata.normalize("NFC", ref).split()))


def _folded(ref: str) -> int:
    return _key(" ".join(unicodedata.normalize("NFKC", ref).casefold().split()))


def _rekey(before: Callable[[str], int], after: Callable[[str], int]) -> None:
    """Give the contacts and their calls the other key; what is known of the person is known under both."""
    tx = op.get_bind()
    known = sa.select(_contacts.c.id, _contacts.c.ref).where(_contacts.c.ref.is_not(None))
    moved: dict[int, set[int]] = {}
    for key, ref in tx.execute(known).all():
        old, new = before(ref), after(ref)
        if old == new:
            continue
        mine = sa.update(_contacts).where(_contacts.c.id == key, _contacts.c.person == old)
        if tx.execute(mine.values(person=new)).rowcount:
            moved.setdefault(old, set()).add(new)
            tx.execute(
                sa.update(_calls)
                .where(_calls.c.contact == key, _calls.c.person == old)
                .values(person=new)
            )
    for name, columns in _about.items():
        table = sa.table(name, sa.column("subject"), *map(sa.column, columns))
        rows = sa.select(table).where(table.c.subject.like("person:%"))
        for row in tx.execute(rows).mappings().all():
            old = int(row["subject"].partition(":")[2])
            for new in moved.get(old, ()):
                tx.execute(sa.insert(table).values({**row, "subject": f"person:{new}"}))


def upgrade() -> None:
    _rekey(_folded, _exact)


def downgrade() -> None:
    """Where two people of one campaign would get one key, the later of them keeps their own."""
    tx = op.get_bind()
    rows = tx.execute(
        sa.text("SELECT id, campaign, ref FROM contacts WHERE ref IS NOT NULL ORDER BY id")
    ).all()
    taken: set[tuple[str, int]] = set()
    kept: set[str] = set()
    for _, campaign, ref in rows:
        place = (campaign, _folded(ref))
        if place in taken:
            kept.add(ref)
        taken.add(place)
    _rekey(_exact, lambda ref: _exact(ref) if ref in kept else _folded(ref))
