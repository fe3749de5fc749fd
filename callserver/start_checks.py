"""Whether a server may start with these settings on this database."""

from callserver import log_check
from callserver.adapters.asterisk import exchange_file, trunk
from callserver.database import simulated
from callserver.database.engines import check_urls, make_engine
from callserver.errors import ConfigurationProblem
from callserver.ports import Clock, Tx
from callserver.settings import (
    SIMULATED,
    Settings,
    calls_real_people,
    instant,
)


def settings_suffice(settings: Settings) -> None:
    """Whether a server can run with these settings.

    Raises:
        ConfigurationProblem: it cannot; says which variable is wrong.
    """
    if settings.provider == "twilio" and not (settings.auth_token and settings.account_sid):
        raise ConfigurationProblem("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN must be set")
    if settings.provider == "asterisk":
        _exchanges_suffice(settings)
    if settings.provider == SIMULATED and not settings.api_url:
        raise ConfigurationProblem(
            "CALLSERVER_PROVIDER=simulated: only `callserver serve` runs the simulated network"
        )
    if settings.clock and calls_real_people(settings):
        raise ConfigurationProblem(
            "CALLSERVER_CLOCK must not be set: real people are called by the real time"
        )
    if settings.clock:
        instant("CALLSERVER_CLOCK", settings.clock)
    check_urls(settings.database, settings.pooler)
    if settings.alarm_mail and not settings.smtp_url and calls_real_people(settings):
        raise ConfigurationProblem("CALLSERVER_ALARM_MAIL: CALLSERVER_SMTP_URL must be set with it")
    log_check.restore_is_finished(settings)
    if not settings.key:
        raise ConfigurationProblem(
            "CALLSERVER_KEY must be set: it keys the hashes of the erased; `openssl rand -hex 32` makes one"
        )


def _exchanges_suffice(settings: Settings) -> None:
    for name, own in exchange_file.exchanges(settings).items():
        trunk.check(own)
        if not own.asterisk_password:
            of = f" for the exchange {name}" if name else ""
            raise ConfigurationProblem(
                f"ASTERISK_PASSWORD must be set{of}: ARI's user signs in with it"
            )


def pooler_fits(settings: Settings) -> None:
    """Whether the pooler, if there is one, leads to the database that is named beside it.

    Raises:
        ConfigurationProblem: it does not.
    """
    if not settings.pooler:
        return
    # Here, because commands use this module, and the driver takes a tenth of their start.
    from callserver.database import pooling

    direct = make_engine(settings.database)
    pooled = make_engine(settings.database, pooler=settings.pooler, server=True)
    try:
        if not pooling.leads_to(pooled, direct):
            raise ConfigurationProblem(
                "CALLSERVER_POOLER leads to another database than CALLSERVER_DATABASE"
            )
    finally:
        direct.dispose()
        pooled.dispose()


def database_fits(tx: Tx, settings: Settings, clock: Clock) -> None:
    """Keep what a simulated network made up apart from real calls.

    Raises:
        ConfigurationProblem: the database belongs to the other kind of network.
    """
    if settings.provider == SIMULATED:
        if simulated.has_real_calls(tx):
            raise ConfigurationProblem(
                "CALLSERVER_DATABASE holds real calls: the simulated network needs its own"
            )
        simulated.mark_simulated(tx, clock.now())
    elif simulated.is_simulated(tx):
        raise ConfigurationProblem(
            "CALLSERVER_DATABASE was used with the simulated network, so what it holds is "
            "invented: real calls need another"
        )
