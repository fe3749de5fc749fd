"""A server's database for measurements of calls: a list, and phoners whose telephones are in their rooms."""

from typing import Any

from callserver.adapters.config_folder import load
from callserver.cli import invented_data
from callserver.database import accounts, migrate
from callserver.database.engines import make_engine
from callserver.database.tables import seats
from callserver.engine.accounts.authentication import hash_of
from callserver.engine.context import Rules
from callserver.engine.lists.importer import import_list
from callserver.settings import Settings
from tests.bench.storing import people
from tests.harness.simulated import TUESDAY

FLOOR_PAGES = 10
CAMPAIGN = "kanvas"


def fill(settings: Settings, phoners: int) -> None:
    """A list, and phoners whose telephones are in their rooms already."""
    engine = make_engine(settings.database)
    migrate.upgrade(engine)
    rules = Rules(load(settings.config))
    with engine.begin() as tx:
        campaign = rules.campaign(CAMPAIGN)
        import_list(tx, campaign, people(phoners * 40).encode(), TUESDAY)
        invented_data.import_registers(tx, rules, TUESDAY)
        for user in range(1, phoners + FLOOR_PAGES + 1):
            role = "phoner" if user <= phoners else "supervisor"
            accounts.add(
                tx,
                id=user,
                handle=f"u{user}",
                name=f"User {user}",
                role=role,
                department=campaign.department,
            )
            accounts.add_token(tx, hash_of(f"s{user}"), user, "bench", TUESDAY)
            invented_data.train(tx, rules, user, TUESDAY)
        tx.execute(seats.insert(), [_seat(user) for user in range(1, phoners + 1)])
    engine.dispose()


def _seat(user: int) -> dict[str, Any]:
    return {
        "id": user,
        "phoner": user,
        "department": "nord",
        "campaign": CAMPAIGN,
        "state": "paused",
        "wants": "paused",
        "connected": True,
        "since": TUESDAY,
        "room": f"r{user}",
        "room_ref": f"CF{user:032}",
        "leg": f"CA{user:032}",
    }
