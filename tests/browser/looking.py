"""Looking at a page as somebody would who cannot see well, or reads the other language.

axe-core looks for what breaks WCAG 2.2 AA (its tags up to wcag22aa) in light and dark, wide and on a
tablet; the rest is looked for here: a page that scrolls sideways, a text that shows its key, a
sentence in the other language. Each look returns what is wrong, in words.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

from callserver import texts

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".node" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
WHY_NOT = "" if AXE.exists() else "no axe-core here (scripts/axe)"

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDE, TABLET = {"width": 1280, "height": 800}, {"width": 820, "height": 1180}
LAPTOP = {"width": 1200, "height": 800}

COLOURS = ["color-contrast"]
"""What can differ between light and dark."""

LAYOUT = ["color-contrast", "target-size", "scrollable-region-focusable"]
"""What can differ between two widths."""

RUN = """async (only) => {
  const wanted = only.length ? { type: "rule", values: only } : { type: "tag", values: TAGS };
  const { violations } = await axe.run(document, { runOnly: wanted, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`));
}""".replace("TAGS", repr(TAGS))

STILL = """() => {
  const now = document.body.innerText.replace(/[0-9]/g, "");
  const before = window.lastSeen;
  window.lastSeen = now;
  return now === before && !LOADING.some((one) => now.includes(one));
}"""

BROKEN = r"""() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const broken = [];
  for (let text; (text = walk.nextNode()); ) {
    const element = text.parentElement;
    if (!element.checkVisibility() || element.closest("code, pre, textarea, option, .sr")) continue;
    const isOneWord = /^\s*\p{L}+\s*$/u.test(text.data);
    const isCut = getComputedStyle(element).textOverflow === "ellipsis" && element.scrollWidth > element.clientWidth;
    if (isOneWord && isCut) broken.push(`cut: ${text.data}`);
    for (const { index, 0: word } of text.data.matchAll(/\p{L}+/gu)) {
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const parts = [...range.getClientRects()].filter(({ width }) => width > 0);
      if (new Set(parts.map(({ top }) => Math.round(top / 4))).size > 1) broken.push(`broken: ${word}`);
    }
  }
  return broken;
}"""
"""Words that go on in the next line without a hyphen, and single words that are cut."""

SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

RAW = re.compile(
    rf"\b(?:{'|'.join({key.partition('.')[0] for key in texts.catalogue('da')})})\.(?!yaml\b)[a-z_]+[a-z]\b"
)
EMPTY = re.compile(r"\b(?:undefined|null|NaN|Invalid Date)\b|\[object |\{\w+\}")


def settle(page: Page) -> None:
    """Until what it fetches is there and nothing moves (clocks do: digits do not count)."""
    loading = [texts.say(language, "page.loading") for language in texts.LANGUAGES]
    page.wait_for_function(STILL.replace("LOADING", repr(loading)), polling=250)


def axe(page: Page, only: list[str] | None = None) -> list[str]:
    """What breaks WCAG in the page as it stands."""
    if page.evaluate("() => !window.axe"):
        page.evaluate(AXE.read_text("utf-8"))
    violations: list[str] = page.evaluate(RUN, only or [])
    return violations


def words(page: Page, language: str) -> list[str]:
    """Keys and holes where a text should be, and whole texts of the other language."""
    said = page.locator("body").inner_text()
    wrong = [f"not a text: {text}" for text in RAW.findall(said) + EMPTY.findall(said)]
    lines = {line.strip() for line in said.splitlines()}
    wrong += [f"not in {language}: {line}" for line in sorted(lines & _foreign(language))]
    if page.locator("html").get_attribute("lang") != language:
        wrong.append(f"the page does not say that it is in {language}")
    return wrong


@cache
def _foreign(language: str) -> frozenset[str]:
    """Texts that stand in another catalogue only."""
    own = set(texts.catalogue(language).values())
    others = (texts.catalogue(other).values() for other in texts.LANGUAGES if other != language)
    return frozenset(text for some in others for text in some if text not in own)


Depth = Literal["whole", "once"]
DEPTHS: dict[str, Depth] = {"da": "whole", "en": "once"}
"""How deeply is looked in each language: what only the words change is looked at once."""


def look(page: Page, language: str, depth: Depth = "whole") -> list[str]:
    """Everything, at both widths, with all that folds open; `whole`: in light and dark as well."""
    page.emulate_media(reduced_motion="reduce")
    settle(page)
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => (one.open = true))")
    wrong = [*words(page, language), *axe(page), *_sideways(page), *_moving(page), *_broken(page)]
    if depth == "whole":
        page.emulate_media(color_scheme="dark")
        wrong += [f"dark: {violation}" for violation in axe(page, COLOURS)]
        page.emulate_media(color_scheme="light")
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    wrong += [*_sideways(page), *_broken(page)]
    if depth == "whole":
        wrong += [f"tablet: {violation}" for violation in axe(page, LAYOUT)]
    page.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    wrong += _broken(page)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    return [f"{page.url}: {problem}" for problem in wrong]


def _moving(page: Page) -> list[str]:
    """What moves although the user asked for reduced motion."""
    moving: list[str] = page.evaluate(
        "() => document.getAnimations().map(({ effect }) => effect.target.outerHTML.slice(0, 80))"
    )
    return [f"moves: {element}" for element in moving]


def _broken(page: Page) -> list[str]:
    """Words that are not whole."""
    broken: list[str] = page.evaluate(BROKEN)
    width: Any = page.viewport_size
    return [f"{word} at {width['width']} px" for word in broken]


def _sideways(page: Page) -> list[str]:
    too_wide: int = page.evaluate(SIDEWAYS)
    width: Any = page.viewport_size
    return [f"scrolls sideways by {too_wide} px at {width['width']} px"] if too_wide > 0 else []
