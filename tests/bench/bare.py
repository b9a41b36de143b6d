"""The peer of the HTTP figures: a bare Flask page."""

from flask import Flask

app = Flask(__name__)
PAGE = "<!doctype html><title>bare</title><h1>bare</h1>"


@app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
@app.route("/<path:path>", methods=["GET", "POST"])
def page(path: str) -> str:
    return PAGE
