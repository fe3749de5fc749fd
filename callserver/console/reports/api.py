"""The reports page's API: figures per campaign and day, as data and as CSV. Never per phoner."""

import csv
import io
from collections.abc import Mapping
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from callserver import texts
from callserver.console.endpoint import Answer, Endpoint, UserRequest
from callserver.console.fields import Date
from callserver.domain.campaign import Campaign
from callserver.domain.home import HOME
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.reporting import daily_figures
from callserver.engine.reporting.call_history_text import outcome_label
from callserver.engine.reporting.daily_figures import Day
from callserver.errors import NotFound


class ReportQuery(BaseModel):
    """Days and campaign; by default the last fourteen days of every campaign that the user may see."""

    model_config = ConfigDict(extra="forbid")

    first: Date | None = None
    last: Date | None = None
    campaign: str | None = None


class Count(Answer):
    """A count with its label."""

    key: str
    label: str
    count: int


class DayView(Answer):
    campaign: str
    title: str
    day: date
    dials: int
    answered: int
    abandoned: int
    talked_seconds: int
    agreements: int
    not_reached: list[Count]
    outcomes: list[Count]
    refused: list[Count]  # refused calls, by the first reason


class ReportView(Answer):
    """The days with calls or refusals, and the campaigns to choose from."""

    first: date
    last: date
    days: list[DayView]
    campaigns: Mapping[str, str]


class ReportsApi:
    """Serves figures."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/reports", Action.SEE_REPORTS, self.report),
            Endpoint("GET", "/reports.csv", Action.SEE_REPORTS, self.as_csv),
        ]

    async def report(self, request: UserRequest, query: ReportQuery) -> ReportView:
        """Figures per campaign and day."""
        last = query.last or self._ctx.clock.now().astimezone(HOME).date()
        first = query.first or last - timedelta(days=13)
        visible = {
            name: campaign
            for name, campaign in self._ctx.rules.current.campaigns.items()
            if request.sees(campaign.department)
        }
        if query.campaign is not None and query.campaign not in visible:
            raise NotFound(f"there is no campaign {query.campaign!r}", key="not_found")
        chosen = list(visible.values()) if query.campaign is None else [visible[query.campaign]]
        days = daily_figures.days(first, last)
        figures = await self._ctx.store.read(lambda tx: daily_figures.report(tx, chosen, days))
        return ReportView(
            first=first,
            last=last,
            days=[self._view(day, visible[day.campaign], request.language) for day in figures],
            campaigns={
                name: _title(campaign, request.language) for name, campaign in visible.items()
            },
        )

    async def as_csv(self, request: UserRequest, query: ReportQuery) -> Response:
        """The same, as a CSV file."""
        report = await self.report(request, query)
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";")
        columns = [
            "day",
            "campaign",
            "dials",
            "answered",
            "abandoned",
            "agreements",
            "minutes",
            "refused",
        ]
        causes = sorted({count.key for day in report.days for count in day.not_reached})
        outcomes = sorted({count.key for day in report.days for count in day.outcomes})
        header = [texts.say(request.language, f"reports.{name}") for name in columns]
        header += [texts.say(request.language, f"reports.cause.{cause}") for cause in causes]
        writer.writerow([*header, *outcomes])
        for day in report.days:
            not_reached = {count.key: count.count for count in day.not_reached}
            results = {count.key: count.count for count in day.outcomes}
            writer.writerow(
                [
                    day.day.isoformat(),
                    day.campaign,
                    day.dials,
                    day.answered,
                    day.abandoned,
                    day.agreements,
                    day.talked_seconds // 60,
                    sum(row.count for row in day.refused),
                    *(not_reached.get(cause, 0) for cause in causes),
                    *(results.get(outcome, 0) for outcome in outcomes),
                ]
            )
        name = f"callserver-{report.first}-{report.last}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(out.getvalue().encode("utf-8-sig"), media_type="text/csv", headers=headers)

    def _view(self, day: Day, campaign: Campaign, language: str) -> DayView:
        def counted(counts: Mapping[str, int], label: str) -> list[Count]:
            ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            return [
                Count(key=key or "none", label=self._label(campaign, key, label, language), count=n)
                for key, n in ordered
            ]

        return DayView(
            campaign=day.campaign,
            title=_title(campaign, language),
            day=day.day,
            dials=day.dials,
            answered=day.answered,
            abandoned=day.abandoned,
            talked_seconds=day.talked_seconds,
            agreements=day.agreements,
            not_reached=counted(day.causes, "reports.cause."),
            outcomes=counted(day.outcomes, ""),
            refused=counted(day.refusals, "reason."),
        )

    def _label(self, campaign: Campaign, key: str, prefix: str, language: str) -> str:
        if prefix:
            return texts.say(language, f"{prefix}{key}")
        if not key:
            return texts.say(language, "reports.no_outcome")
        return outcome_label(self._ctx.rules, campaign.name, key, language)


def _title(campaign: Campaign, language: str) -> str:
    return campaign.title.en if language == "en" else campaign.title.da
