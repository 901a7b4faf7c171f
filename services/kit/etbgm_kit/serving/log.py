"""Logs one line of JSON per event: a static message and fields."""

import json
import logging
import sys
import time

from etbgm_kit.serving import tracing

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats time, level, logger, message, the ids of the current trace, and the fields in `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{record.msecs:03.0f}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= tracing.ids()
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logging(level: str) -> None:
    """Logs to standard error: the product's messages from `level`, those of libraries from WARNING."""
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[out], force=True)
    for package in ("kit", "stt", "sentiment", "riffusion", "mixer", "gateway"):
        logging.getLogger(f"etbgm_{package}").setLevel(level)
