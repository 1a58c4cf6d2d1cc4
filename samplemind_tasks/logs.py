"""Structured logs: events with fields, readable on a terminal, JSON lines elsewhere."""

import logging
import sys

import structlog


def configure_logs(level: str = "INFO", *, as_json: bool | None = None) -> None:
    """Send structlog and the standard library's records through one chain to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer()]
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
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "chromadb", "urllib3", "numba", "uvicorn.access", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def get_log(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module: `log.info("chunk_finished", chunk=…, seconds=…)`."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log
