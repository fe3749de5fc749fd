"""The prompts as sound files, made by a free synthesiser (espeak-ng, sox), 8 kHz.

A file that was recorded by hand is never overwritten; one that this command made is made again when its
text has changed. `prompts.json` beside them remembers which it made.
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

MEMORY = "prompts.json"
SPEED = "145"  # words per minute
TOOLS = ("espeak-ng", "sox")


class Did(StrEnum):
    MADE = "made"
    UNCHANGED = "unchanged"
    OWN = "own"  # recorded by hand: left alone


@dataclass(frozen=True, slots=True)
class Prompt:
    """One file, without its ending, and what it says."""

    name: str
    sentence: str


def wanted(campaigns: Iterable[Campaign]) -> list[Prompt]:
    """Every prompt that may be played, in Danish, as the called person hears it."""
    prompts = [Prompt(key, texts.say("da", key)) for key in GENERAL_PROMPTS]
    prompts += [Prompt(DIGIT + digit, digit) for digit in string.digits]
    for campaign in campaigns:
        values = {"organisation": campaign.organisation}
        prompts += [
            Prompt(f"{key}-{campaign.name}", texts.say("da", key, **values))
            for key in CAMPAIGN_PROMPTS
        ]
    return prompts


def make(folder: Path, prompts: Iterable[Prompt]) -> Iterator[tuple[Prompt, Did]]:
    """Make what is missing or has changed; says of each what was done.

    Raises:
        ConfigurationProblem: the synthesiser is missing, or failed.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise ConfigurationProblem(
            f"{' and '.join(missing)} must be installed to make prompts "
            "(or record them yourself: one file for each name in docs/running.md)"
        )
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # the exchange runs as another user
    memory = _memory(folder)
    for prompt in prompts:
        yield prompt, _one(folder, prompt, memory)
        (folder / MEMORY).write_text(json.dumps(memory, indent=1, sort_keys=True), "utf-8")


def _memory(folder: Path) -> dict[str, Mapping[str, str]]:
    try:
        remembered = json.loads((folder / MEMORY).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def _one(folder: Path, prompt: Prompt, memory: dict[str, Mapping[str, str]]) -> Did:
    file = folder / f"{prompt.name}.wav"
    remembered = memory.get(prompt.name, {})
    present = [one for one in folder.glob(f"{prompt.name}.*") if one.is_file()]
    if present and (present != [file] or remembered.get("sound") != _hash(file.read_bytes())):
        return Did.OWN
    said = _hash(prompt.sentence.encode())
    if present and remembered.get("sentence") == said:
        return Did.UNCHANGED
    file.write_bytes(_spoken(prompt.sentence))
    file.chmod(0o644)  # the exchange runs as another user
    memory[prompt.name] = {"sentence": said, "sound": _hash(file.read_bytes())}
    return Did.MADE


def _spoken(sentence: str) -> bytes:
    """One sentence as WAV, 16 bit, 8 kHz, mono. The text goes in by standard input only."""
    with tempfile.TemporaryDirectory() as folder:
        spoken, telephone = Path(folder) / "spoken.wav", Path(folder) / "telephone.wav"
        _run("espeak-ng", "-v", "da", "-s", SPEED, "--stdin", "-w", spoken, said=sentence)
        _run("sox", spoken, "-r", "8000", "-b", "16", "-c", "1", telephone, "norm", "-3")
        return telephone.read_bytes()


def _run(tool: str, *words: str | Path, said: str = "") -> None:
    program = shutil.which(tool) or tool
    try:
        subprocess.run(  # noqa: S603 - fixed words; the sentence goes in by standard input
            [program, *words], input=said.encode(), check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationProblem(f"the prompt could not be made: {error}") from error


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
