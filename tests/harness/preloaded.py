"""What the process loads that the commands are forked from: every command, the server, the texts and the files'
syntax (each command still reads the configuration and checks it)."""

import pkgutil
from importlib import import_module
from pathlib import Path

import callserver.app
import callserver.assemble
import callserver.cli
from callserver import texts
from callserver.adapters.config_folder import load

for _module in pkgutil.iter_modules(callserver.cli.__path__):
    import_module(f"callserver.cli.{_module.name}")

for _language in texts.LANGUAGES:
    texts.catalogue(_language)
load(Path(__file__).parents[2] / "config")

import tests.harness.processes  # noqa: E402, F401 - what each fork runs
