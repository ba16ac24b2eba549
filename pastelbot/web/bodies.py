"""Contents that browsers send: read up to a limit, whatever a request says of its length."""

from starlette.requests import Request

from pastelbot.errors import LimitError


async def read_body(request: Request, *, most: int, what: str) -> bytes:
    """Return a request's content; raises LimitError as soon as it has more than `most` bytes."""
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > most:
            raise LimitError(f"{what} is too large: the limit is {most / 2**20:g} MiB.")
        parts.append(part)
    return b"".join(parts)
