"""Whether a database holds everything that this folder knows of it.

It may be an older copy of itself, a standby that lagged behind, or a former primary that runs again. What is recorded
there is on no telephone that a server dials.
"""

from pathlib import Path

from callserver.database import audit
from callserver.domain import checkpoint, signed_note
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log import heads_file
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import Settings, published_folder


def unfinished_restore(settings: Settings) -> Path:
    """A file that exists while a backup is brought back, until the log declares it."""
    return settings.seals.with_name("restore-unfinished")


def restore_is_finished(settings: Settings) -> None:
    """Whether no backup is being brought back here.

    Raises:
        ConfigurationProblem: one broke off, or goes on.
    """
    if unfinished_restore(settings).exists():
        raise ConfigurationProblem(
            f"{unfinished_restore(settings)}: a restore broke off, so opt-outs may be missing: empty the"
            " database, and run callserver restore again"
        )


def log_is_whole(tx: Tx, settings: Settings) -> None:
    """Whether the database holds everything that was sealed: it may be an older copy of itself.

    Raises:
        ConfigurationProblem: it lacks the last head of the heads file, or entries that are published: a snapshot
            of the machine brings an older heads file back too.
    """
    _holds_what_is_published(tx, settings)
    outside = heads_file.last_head(settings.seals)
    if outside is None:
        return
    inside = audit.head_of_size(tx, outside.size)
    if inside is None or inside.root != outside.root:
        raise ConfigurationProblem(
            f"{settings.seals} shows {outside.size:,} sealed entries that this database does not hold, so"
            " opt-outs may be missing: if a standby has taken over from it, stop it; if another program brought an older"
            " database back, declare it with"
            " callserver declare-restore; if the file is another log's, move it away"
        )


def _holds_what_is_published(tx: Tx, settings: Settings) -> None:
    folder = published_folder(settings)
    try:
        note = signed_note.parse((folder / "checkpoint").read_bytes())
        published = checkpoint.parse(note.text).size
    except (OSError, ValueError):
        return
    last = audit.last_head(tx)
    held = 0 if last is None else last.size
    if published > held and not _declared(tx, published):
        raise ConfigurationProblem(
            f"{folder} shows {published:,} published entries and this database holds {held:,} sealed ones, so"
            " opt-outs may be missing: if a standby has taken over from it, stop it; if another program brought an older"
            " database back, declare it with"
            " callserver declare-restore; if the folder is another log's, set CALLSERVER_PUBLISHED to its own"
        )


def _declared(tx: Tx, published: int) -> bool:
    """Whether the log says that it was cut off before that size."""
    newest = audit.search(tx, audit.LogQuery((EntryKind.RESTORED.value,)), 1)
    return any(int(entry.get("size") or 0) < published for entry in newest)
