"""A text of the configuration in both languages."""

from typing import Annotated

from pydantic import Field

from callserver.domain.document import Document


class Label(Document):
    da: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]
