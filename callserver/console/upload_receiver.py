"""Receives a file in a request's body into the uploads' folder. A spreadsheet is converted to CSV there."""

import asyncio
from datetime import datetime
from functools import partial

from callserver.adapters import spreadsheets
from callserver.adapters.uploads import Uploads
from callserver.console.endpoint import TooLarge, UserRequest
from callserver.errors import ConfigurationProblem, Impossible

MEGABYTE = 1024 * 1024


async def receive(
    request: UserRequest, uploads: Uploads, now: datetime, most_mb: int, *, for_calls: bool = False
) -> tuple[str, int]:
    """The upload's name and size in bytes. `for_calls`: its people are to be called.

    Raises:
        TooLarge: it has more than `most_mb`; nothing is kept.
        Impossible: it is empty.
        NotAllowed: the user lost the right while it was sent; nothing is kept.
        ConfigurationProblem: it is a spreadsheet that cannot be read; nothing is kept.
    """
    with uploads.receiving(request.user.id, now) as file:
        async for chunk in request.http.stream():
            file.add(chunk)
            if file.size > most_mb * MEGABYTE:
                raise TooLarge("the file is too large", key="upload_large", most=most_mb)
        if not file.size:
            raise Impossible("the file is empty", key="upload_empty")
        if request.admitted_again is not None:
            await request.admitted_again()
    try:
        as_csv = partial(spreadsheets.as_csv, for_calls=for_calls)
        await asyncio.to_thread(uploads.convert, file.token, request.user.id, as_csv)
    except ValueError as error:
        uploads.drop(file.token, request.user.id)
        raise ConfigurationProblem(str(error)) from error
    return file.token, file.size
