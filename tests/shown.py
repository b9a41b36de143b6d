"""The test client as a browser is: it shows the page that it gets, and so fetches what the page names for print.

``FlaskClient`` itself is what a preview is: it reads the page and shows it to nobody.
"""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_FOR_PRINT = re.compile(r'<link rel="stylesheet" media="print" href="([^"]+)">')


class Browser(FlaskClient):
    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        if answer.mimetype == "text/html" and answer.request.method == "GET":
            same = {name: kwargs[name] for name in ("headers", "environ_base", "base_url") if name in kwargs}
            for sheet in _FOR_PRINT.findall(answer.get_data(as_text=True)):
                super().open(sheet, **same)
        return answer
