"""How the program logs: one JSON object a line on stderr, or readable lines on a terminal.

Logs hold ids and machine codes, never personal values; a traceback is printed without the values of its variables.
"""

from __future__ import annotations

import logging
import sys

import structlog


def configure(level: str) -> None:
    """``level``: DEBUG, INFO, WARNING or ERROR."""
    is_terminal = sys.stderr.isatty()
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if is_terminal else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
