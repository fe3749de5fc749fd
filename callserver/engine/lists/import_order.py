"""What to import into which campaign, and how to read it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from callserver import texts
from callserver.domain.campaign import Campaign
from callserver.domain.facts import Segment
from callserver.domain.opt_out_phrases import says_no
from callserver.engine.lists.doubtful_columns import MOST_SHOWN
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput, formats


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import, into which campaign, and how to read it."""

    campaign: Campaign
    raw: bytes
    columns: Mapping[str, str]  # column -> field, before the synonyms
    ignored: Collection[str] = ()  # fields that no column is taken for
    region: str = "DK"  # of numbers without a country code
    source: str | None = None  # where the people come from, in words
    namespace: str | None = None  # the system of the references; None: the campaign's
    file_name: str = ""

    @property
    def reference_namespace(self) -> str:
        """The system that the list's references come from."""
        return self.campaign.namespace if self.namespace is None else self.namespace

    def check_names(self) -> None:
        """Stop a list of people who said no, such as `ring-ikke.csv`, before they are called.

        Raises:
            ConfigurationProblem: the file's name or the source says no.
        """
        for name in (self.source or "", self.file_name):
            if says_no(name):
                wrong = InvalidInput("source_says_no", said=repr(name[:MOST_SHOWN]))
                raise ConfigurationProblem(str(wrong))

    def source_at(self, now: datetime) -> str | None:
        """The list's source, or a default. Leads have no default: each must name its own source."""
        if self.source or self.campaign.segment is Segment.LEADS:
            return self.source
        day = formats.day(now, "da")
        if not self.file_name:
            return texts.say("da", "import.source_unnamed", day=day)
        return texts.say("da", "import.source", file=self.file_name, day=day)
