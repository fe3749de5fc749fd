"""What the process imports that the commands are forked from: every command, and the server."""

import pkgutil
from importlib import import_module

import callserver.app
import callserver.assemble
import callserver.cli

for _module in pkgutil.iter_modules(callserver.cli.__path__):
    import_module(f"callserver.cli.{_module.name}")

import tests.harness.processes  # noqa: E402, F401 - what each fork runs
