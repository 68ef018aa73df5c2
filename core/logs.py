"""One JSON object a line for whatever is logged, without shoppers' words and the links that open their pages."""

import re
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

# What follows opens an invitation, an answer, the end of messages, a store's wall, an account or a new password (the
# urls.py of surveys, alerts, reports, stores).
_LINK = re.compile(r"(/(?:r|t|c|u|screen|join|key)/)[A-Za-z0-9-]{8,}")
# PostgreSQL quotes the row that it refused.
_ROW = re.compile(r"DETAIL:.*?(?=\n\nThe above exception|\Z)", re.DOTALL)


def scrub(logger: object, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor; what it takes out becomes an ellipsis, in tracebacks too."""

    def clean(value: Any) -> Any:
        return _ROW.sub("DETAIL: …", _LINK.sub(r"\1…", value)) if isinstance(value, str) else value

    return {name: clean(value) for name, value in event.items()}


_COMMON: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    scrub,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


def configure() -> dict[str, Any]:
    """Set up structlog; returns Django's LOGGING, by which libraries write lines of the same kind."""
    structlog.configure(processors=_COMMON, logger_factory=structlog.PrintLoggerFactory())
    line = {
        "()": ProcessorFormatter,
        "foreign_pre_chain": [structlog.stdlib.add_logger_name],
        "processors": [ProcessorFormatter.remove_processors_meta, *_COMMON],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {"django.request": {"level": "ERROR"}},
    }
