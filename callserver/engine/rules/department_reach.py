"""How far a change of the rules may reach that a user with a department makes."""

from callserver.domain.configuration import Configuration
from callserver.errors import NotAllowed


def within_department(department: str | None, was: Configuration, would: Configuration) -> None:
    """Check that a user with a department changes only its campaigns, and nothing that others depend on.

    Raises:
        NotAllowed: it reaches further.
    """
    if department is None:
        return
    names = {*was.campaigns, *would.campaigns}
    others = {
        name
        for name in names
        if {c.campaigns[name].department for c in (was, would) if name in c.campaigns}
        != {department}
    }
    scripts = {was.campaigns[name].script for name in others if name in was.campaigns}
    same = (
        was.policies == would.policies
        and was.departments == would.departments
        and was.organisation == would.organisation
        and was.books == would.books
        and was.cases == would.cases
        and was.training == would.training
        and was.survey == would.survey
        and all(was.campaigns.get(name) == would.campaigns.get(name) for name in others)
        and all(was.scripts.get(name) == would.scripts.get(name) for name in scripts)
    )
    if not same:
        raise NotAllowed("this reaches beyond your department", key="rules_department")
