"""Whether CALLSERVER_KEY is the key with which a database was written."""

from callserver.database import recorded_keys
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import Settings


def key_fits(tx: Tx, settings: Settings) -> None:
    """Whether the key is the one with which this database was written.

    Raises:
        ConfigurationProblem: it is another one or missing, so that nobody who was erased is recognised.
    """
    if settings.key and settings.key_is_new:
        return
    if recorded_keys.are_of_another(tx, settings.key.encode()):
        wrong = "not the one" if settings.key else "missing, the one"
        raise ConfigurationProblem(
            f"CALLSERVER_KEY is {wrong} with which calls and opt-outs were recorded in this database:"
            " nobody who was erased would be recognised, and they might be called. Put the former key back"
        )
