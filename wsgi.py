"""The WSGI entry point: ``gunicorn wsgi:app``."""

from scancode.app import create_app

app = create_app()
