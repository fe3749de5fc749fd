"""The receipt of an opt-out as the two files that a person gets: a text to read, and the proof."""

import io
import zipfile

from callserver.engine.audit_log.receipts import Receipt
from callserver.engine.reporting.call_history_text import when
from callserver.texts import say


def text(receipt: Receipt, language: str) -> str:
    """What the person reads."""
    file = f"{receipt.name}.tlog-proof"
    lines = [
        say(language, "receipt.title"),
        "",
        say(
            language,
            "receipt.recorded",
            when=when(receipt.at, language),
            origin=receipt.origin,
            index=receipt.proof.index,
        ),
        say(language, "receipt.proves", file=file, size=receipt.size),
    ]
    for name, at in receipt.witnesses:
        lines.append(say(language, "receipt.witness", name=name, when=when(at, language)))
    lines += [
        say(language, "receipt.nothing_personal"),
        "",
        say(language, "receipt.key"),
        receipt.key,
    ]
    return "\n".join(lines) + "\n"


def files(receipt: Receipt, language: str) -> dict[str, str]:
    """The files' names and contents."""
    return {
        f"{receipt.name}.txt": text(receipt, language),
        f"{receipt.name}.tlog-proof": receipt.proof.text,
    }


def archive(receipt: Receipt, language: str) -> bytes:
    """Both files in one ZIP file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archived:
        for name, content in files(receipt, language).items():
            archived.writestr(name, content)
    return made.getvalue()
