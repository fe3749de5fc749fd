"""A file that comes in as a request's body: streamed to the uploads' folder. A spreadsheet becomes CSV there."""

import asyncio
from datetime import datetime

from callserver.adapters.uploads import Uploads
from callserver.console.endpoint import Asked, TooLarge
from callserver.domain import spreadsheet
from callserver.errors import ConfigurationProblem, Impossible

MEGABYTE = 1024 * 1024


async def receive(asked: Asked, uploads: Uploads, now: datetime, most_mb: int) -> tuple[str, int]:
    """The upload's name, and how many bytes it has.

    Raises:
        TooLarge: more than `most_mb`; nothing is kept.
        Impossible: it is empty.
        ConfigurationProblem: it is a spreadsheet that cannot be read; nothing is kept.
    """
    with uploads.receiving(asked.user.id, now) as file:
        async for chunk in asked.request.stream():
            file.add(chunk)
            if file.size > most_mb * MEGABYTE:
                raise TooLarge("the file is too large", key="upload_large", most=most_mb)
        if not file.size:
            raise Impossible("the file is empty", key="upload_empty")
    try:
        await asyncio.to_thread(uploads.convert, file.token, asked.user.id, spreadsheet.as_csv)
    except ValueError as error:
        uploads.drop(file.token, asked.user.id)
        raise ConfigurationProblem(str(error)) from error
    return file.token, file.size
