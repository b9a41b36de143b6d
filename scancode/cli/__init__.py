"""The ``scancode`` command. Exit codes: 0 done; 1 refused or not found; 2 used wrongly; 3 the settings do not make a
runnable program; 4 the database cannot be reached or is not current; 5 a check found something wrong."""

from __future__ import annotations

from scancode.cli.root import main

__all__ = ["main"]
