"""The copy of a person's data as a page to read and print."""

from datetime import datetime

import jinja2

from callserver.engine.reporting.call_history_text import when
from callserver.engine.reporting.person_copy_model import PersonCopy
from callserver.texts import say

_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("callserver.engine.reporting", "."),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(copy: PersonCopy) -> str:
    """HTML in the copy's language, without external resources."""

    def text(key: str, **values: object) -> str:
        return say(copy.language, f"person_copy.{key}", **values)

    def moment(at: datetime | None) -> str:
        return "" if at is None else when(at, copy.language)

    def yes_or_no(value: bool) -> str:
        return say(copy.language, "page.yes" if value else "page.no")

    template = _environment.get_template("person_copy.html")
    return template.render(copy=copy, t=text, moment=moment, yes_or_no=yes_or_no)
