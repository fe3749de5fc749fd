"""Timestamps of the published log by an authority elsewhere (RFC 3161), over HTTP."""

from importlib.util import find_spec

import httpx
import structlog

from callserver.errors import ConfigurationProblem

log = structlog.get_logger(__name__)


class TimestampAuthority:
    """One authority, which learns a hash and nothing else."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        if find_spec("rfc3161_client") is None:
            raise ConfigurationProblem(
                "CALLSERVER_TIMESTAMPS needs a package: pip install 'callserver[timestamps]'"
            )
        self._http = http
        self._url = url

    async def stamp(self, content: bytes) -> bytes:
        """The authority's answer, in DER; empty: it gave none for this content."""
        from rfc3161_client import (
            PKIStatus,
            TimestampRequestBuilder,
            decode_timestamp_response,
        )

        request = TimestampRequestBuilder().data(content).build()
        try:
            answer = await self._http.post(
                self._url,
                content=request.as_bytes(),
                headers={"content-type": "application/timestamp-query"},
            )
            response = decode_timestamp_response(answer.content)
            granted = response.status in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS)
            stamped = response.tst_info if granted else None
        except (httpx.HTTPError, ValueError) as error:
            log.warning("not_timestamped", why=type(error).__name__)
            return b""
        if (
            stamped is None
            or stamped.nonce != request.nonce
            or stamped.message_imprint.message != request.message_imprint.message
        ):
            log.warning("not_timestamped", why="refused" if stamped is None else "other content")
            return b""
        return answer.content
