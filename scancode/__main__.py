"""``python -m scancode`` is the ``scancode`` command."""

from scancode.cli import main

main()
