"""A page has the same name in seven places (docs/architecture.md)."""

from itertools import groupby
from pathlib import Path

import pytest

from callserver import console, texts
from callserver.console.pages import PAGES, Group, Page

CONSOLE = Path(console.__file__).parent
TEXTS = Path(texts.__file__).parent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_one_name_in_seven_places(page: Page) -> None:
    assert (CONSOLE / page.name / "api.py").is_file()
    assert (CONSOLE / "templates" / f"{page.name}.html").is_file()
    for kind in ("js", "css"):
        assert (CONSOLE / "assets" / f"{page.name}.{kind}").is_file()
    for language in texts.LANGUAGES:
        assert (TEXTS / language / f"{page.name}.yaml").is_file()
        assert f"{page.name}.title" in texts.catalogue(language)


def test_the_pages_of_a_group_stand_together() -> None:
    groups = [group for group, _ in groupby(page.group for page in PAGES if page.listed)]
    named = [group for group in groups if group is not None]
    assert sorted(named) == sorted(Group)
