"""`callserver witness`: a witness for published logs, in a second office or at the auditor's."""

from pathlib import Path
from typing import Annotated

import typer

from callserver.errors import ConfigurationProblem
from callserver.setting_values import is_origin


def register(app: typer.Typer) -> None:
    app.command()(witness)


def witness(
    name: Annotated[str, typer.Argument(help="its name, like witness.example.org")],
    logs: Annotated[Path, typer.Argument(help="a file with the logs' keys (vkey), one a line")],
    state: Annotated[
        Path, typer.Option(help="the folder that keeps its key and what it has signed")
    ] = Path("var/witness"),
    host: Annotated[str, typer.Option(help="where it listens; put a TLS proxy before it")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port")] = 8100,
) -> None:
    """Witness other servers' logs: sign a log's state only if it continues the one signed before.

    A log that shows different entries to different people then needs two states of one size, and gets no
    signature for the second. Run it where the log's organisation cannot change it. It prints its key:
    give that to those who verify, and to the log's server with its address (CALLSERVER_WITNESSES). Never
    lose the state folder: a witness that has forgotten signs anything once.

    Example: callserver witness witness.example.org logs.txt --state /var/lib/witness
    """
    import uvicorn

    from callserver import witness as service
    from callserver.adapters.clock import SystemClock
    from callserver.engine.audit_log.sealing import load_key

    if not is_origin(name):
        raise ConfigurationProblem(f"{name!r}: should be like witness.example.org")
    key = load_key(state / "witness.key")
    serving = service.Witness(name, key, service.read_logs(logs), state, SystemClock())
    print(f"key: {serving.verifier_key}", flush=True)
    try:
        uvicorn.run(
            service.create(serving),
            host=host,
            port=port,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
    finally:
        serving.close()
