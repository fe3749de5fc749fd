"""The script of a role-play call, with an invented person: the applicant never sees a real one."""

from callserver import texts
from callserver.console import markup
from callserver.domain.campaign import Campaign
from callserver.engine.context import Rules

INVENTED = ("name", "ref", "city", "source", "member_since")


def rendered(rules: Rules, campaign: Campaign, applicant: str, language: str) -> str:
    """The script of the campaign's segment as HTML."""
    values = {field: texts.say(language, f"role_play.person.{field}") for field in INVENTED}
    values |= {"phoner": applicant.partition(" ")[0], "organisation": campaign.organisation}
    script = rules.current.scripts.get(campaign.script, "")
    return markup.merged(script, values, texts.say(language, "phone.unknown"))
