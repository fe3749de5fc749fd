"""Invented lists and robot phoners for a demonstration or a simulated evening."""

from datetime import datetime, timedelta

from callserver.database import accounts
from callserver.engine.accounts import hash_of
from callserver.engine.house import Rules
from callserver.engine.taking_in import take_in
from callserver.ports import Tx
from callserver.simulator.robots import Robot
from callserver.simulator.town import contacts_csv

MEMBERS = ("OPGRADERING", "AFMELDTE", "LAPSED")


def populate(
    tx: Tx, rules: Rules, seed: int, now: datetime, phoners: int, contacts: int
) -> list[Robot]:
    """Lists into all campaigns, phoners onto them by turns; the robots with their tokens."""
    campaigns = list(rules.current.campaigns.values())
    share = -(-contacts // len(campaigns))
    for position, campaign in enumerate(campaigns):
        members = campaign.segment.value in MEMBERS
        text = contacts_csv(share, seed, first=position * share, members=members, bad=3)
        take_in(tx, campaign, text.encode(), now - timedelta(hours=1))
    robots = []
    for number in range(1, phoners + 1):
        campaign = campaigns[number % len(campaigns)]
        token = f"robot-{number}"
        accounts.add(
            tx,
            id=number,
            handle=f"robot{number}",
            name=f"Robot {number}",
            role="phoner",
            department=campaign.department,
        )
        accounts.add_token(tx, hash_of(token), number, "robot", now)
        robots.append(Robot(number, token, campaign.name))
    return robots
