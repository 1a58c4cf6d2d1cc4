"""Structured logs: events with fields, readable on a terminal, JSON lines elsewhere.

A request's id follows what it asked for: bound at the gateway, kept with the job and its chunks, carried in the headers
of messages, and bound again by the worker. Looking for it in all logs shows the whole trip.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import orjson
import structlog

REQUEST_ID = "request_id"
HIDDEN = "***"

_CHATTY = (
    *("httpx", "httpcore", "chromadb", "urllib3", "numba", "uvicorn.access"),
    *("celery.app.trace", "celery.worker.strategy"),  # a line for each message; a stage's end says more
)
_WITH_HANDLERS_OF_THEIR_OWN = ("uvicorn", "uvicorn.error", "uvicorn.access")


def configure_logs(level: str = "INFO", *, as_json: bool | None = None) -> None:
    """Send structlog and the standard library's records through one chain to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    plain = structlog.dev.plain_traceback  # a richer one shows local variables, and so whatever is in them
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_as_json)
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=plain)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide_secrets,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _WITH_HANDLERS_OF_THEIR_OWN:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def _as_json(line: object, **options: Any) -> str:
    try:
        return orjson.dumps(line, default=options["default"]).decode()
    except TypeError:  # a file's name that is no Unicode, an endless number: no reason to lose the line
        return json.dumps(line, default=options["default"])


def get_log(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module: `log.info("chunk_finished", chunk=…, seconds=…)`."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log


# ----------------------------------------------------------------------------------------------------- a request's name


def bind_request(request_id: str | None, **more: str) -> None:
    """From here on every line of this task or thread carries the request's id, and what else is given."""
    bound = {REQUEST_ID: request_id, **more} if request_id else more
    structlog.contextvars.bind_contextvars(**bound)


def unbind_everything() -> None:
    """What a thread does next belongs to somebody else."""
    structlog.contextvars.clear_contextvars()


def current_request_id() -> str | None:
    """The id of the request that is being worked for; None where nobody asked."""
    found = structlog.contextvars.get_contextvars().get(REQUEST_ID)
    return found if isinstance(found, str) else None


# -------------------------------------------------------------------------------------------------------------- secrets

_SECRET_FIELD = re.compile(r"passw|secret|credential|authorization|cookie|api_?key|access_?key|(^|_)(login|dsn)$", re.I)
_NAMED_VALUE = r"(?i)((?:passw(?:or)?d|secret|api_?key|x-amz-[a-z-]+)['\"]?\s*[=:]\s*['\"]?)[^\s'\"&,;]+"
_SECRET_TEXTS = (
    (re.compile(r"(?<=://)[^\s/?#'\"<>][^\s'\"<>]*@"), f"{HIDDEN}@"),  # a URL's user and password, whatever is in it
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?\w+\s+|\bbearer\s+)[\w.~+/=-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\bsm_[A-Za-z0-9_-]{16,}"), HIDDEN),  # our own API keys
    (re.compile(_NAMED_VALUE), rf"\1{HIDDEN}"),
)
_DEPTH = 6


def hide_secrets(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A processor: nobody who reads logs learns a password or a key, wherever in a line it turns up."""
    return {name: _harmless(name, value, _DEPTH) for name, value in line.items()}


def _harmless(name: str, value: object, depth: int) -> object:
    if _SECRET_FIELD.search(name):
        return HIDDEN
    if isinstance(value, str):
        return without_secrets(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        return {str(inner): _harmless(str(inner), each, depth - 1) for inner, each in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_harmless("", each, depth - 1) for each in value]
    return without_secrets(str(value))


def without_secrets(text: str) -> str:
    """Text without passwords of URLs, keys and tokens."""
    for pattern, instead in _SECRET_TEXTS:
        text = pattern.sub(instead, text)
    return text
