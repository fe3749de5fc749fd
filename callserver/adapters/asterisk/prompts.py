"""Makes the prompts as sound files by a free synthesiser (espeak-ng, sox), 8 kHz.

A recorded file is never overwritten; a synthesised one is replaced when its text has changed.
`prompts.json` beside the files lists the synthesised ones.
"""

import hashlib
import json
import shutil
import string
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from callserver import texts
from callserver.adapters.asterisk.speech import CAMPAIGN_PROMPTS, DIGIT, GENERAL_PROMPTS
from callserver.domain.campaign import Campaign
from callserver.errors import ConfigurationProblem

MANIFEST = "prompts.json"
SPEED = "145"  # words per minute
TOOLS = ("espeak-ng", "sox")


class PromptResult(StrEnum):
    MADE = "made"
    UNCHANGED = "unchanged"
    OWN = "own"  # a recording: not changed


@dataclass(frozen=True, slots=True)
class Prompt:
    """A file's name without its ending, and its sentence."""

    name: str
    sentence: str


def all_prompts(campaigns: Iterable[Campaign]) -> list[Prompt]:
    """Every prompt that may be played, in Danish."""
    prompts = [Prompt(key, texts.say("da", key)) for key in GENERAL_PROMPTS]
    prompts += [Prompt(DIGIT + digit, digit) for digit in string.digits]
    for campaign in campaigns:
        values = {"organisation": campaign.organisation}
        prompts += [
            Prompt(f"{key}-{campaign.name}", texts.say("da", key, **values))
            for key in CAMPAIGN_PROMPTS
        ]
    return prompts


def make(folder: Path, prompts: Iterable[Prompt]) -> Iterator[tuple[Prompt, PromptResult]]:
    """Make the missing and changed prompts; yields each with its result.

    Raises:
        ConfigurationProblem: the synthesiser is missing, or failed.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise ConfigurationProblem(
            f"{' and '.join(missing)} must be installed to make prompts "
            "(or record them yourself: one file for each name in docs/asterisk.md)"
        )
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # the exchange runs as another user
    manifest = _manifest(folder)
    for prompt in prompts:
        yield prompt, _make_one(folder, prompt, manifest)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), "utf-8")


def _manifest(folder: Path) -> dict[str, Mapping[str, str]]:
    try:
        remembered = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def _make_one(folder: Path, prompt: Prompt, manifest: dict[str, Mapping[str, str]]) -> PromptResult:
    file = folder / f"{prompt.name}.wav"
    remembered = manifest.get(prompt.name, {})
    present = [path for path in folder.glob(f"{prompt.name}.*") if path.is_file()]
    if present and (present != [file] or remembered.get("sound") != _hash(file.read_bytes())):
        return PromptResult.OWN
    sentence = _hash(prompt.sentence.encode())
    if present and remembered.get("sentence") == sentence:
        return PromptResult.UNCHANGED
    file.write_bytes(_spoken(prompt.sentence))
    file.chmod(0o644)  # the exchange runs as another user
    manifest[prompt.name] = {"sentence": sentence, "sound": _hash(file.read_bytes())}
    return PromptResult.MADE


def _spoken(sentence: str) -> bytes:
    """A sentence as WAV, 16 bit, 8 kHz, mono. The text is passed by standard input only."""
    with tempfile.TemporaryDirectory() as folder:
        spoken, telephone = Path(folder) / "spoken.wav", Path(folder) / "telephone.wav"
        _run("espeak-ng", "-v", "da", "-s", SPEED, "--stdin", "-w", spoken, text=sentence)
        _run("sox", spoken, "-r", "8000", "-b", "16", "-c", "1", telephone, "norm", "-3")
        return telephone.read_bytes()


def _run(tool: str, *arguments: str | Path, text: str = "") -> None:
    program = shutil.which(tool) or tool
    try:
        subprocess.run(  # noqa: S603 - fixed arguments; the text is passed by standard input
            [program, *arguments], input=text.encode(), check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationProblem(f"the prompt could not be made: {error}") from error


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
