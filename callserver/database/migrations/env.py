"""Alembic's environment: it runs on the connection that migrate.upgrade passes."""

from alembic import context

import callserver.database.tables  # noqa: F401 - they register themselves
from callserver.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
