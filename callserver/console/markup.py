"""Renders the organisation's Markdown as HTML. HTML in it is escaped, and merge values never become markup."""

import html
import re
from collections.abc import Mapping

from markdown_it import MarkdownIt

_markdown = MarkdownIt("commonmark", {"html": False})
_FIELD = re.compile(r"\{(\w+)\}")


def rendered(text: str) -> str:
    """Markdown as HTML."""
    return str(_markdown.render(text))


def merged(text: str, values: Mapping[str, str], unknown: str) -> str:
    """A script as HTML with its {fields} filled in; `unknown` replaces missing values.

    Values are inserted after rendering, as text: a name with asterisks or a bracket stays a name.
    """

    def value(match: re.Match[str]) -> str:
        return html.escape(values.get(match[1]) or unknown)

    return _FIELD.sub(value, rendered(text))


def filled(text: str, values: Mapping[str, str], unknown: str) -> str:
    """A plain sentence with its {fields} filled in."""
    return _FIELD.sub(lambda match: values.get(match[1]) or unknown, text)
