"""Who is a robot and who a person, by requests as they were recorded."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from scancode.web.clients import client_of, is_bot

RECORDED = tomllib.loads((Path(__file__).parent / "h5" / "requests.toml").read_text(encoding="utf-8"))


def environ(recorded: dict[str, str], method: str = "GET") -> dict[str, Any]:
    headers = {name: value for name, value in recorded.items() if name != "name"}
    return {"REQUEST_METHOD": method} | {
        f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()
    }


def test_robots_previews_and_prefetches_are_told_by_what_they_send() -> None:
    assert len(RECORDED["robot"]) > 90
    assert [one["name"] for one in RECORDED["robot"] if not is_bot(environ(one))] == []


def test_people_in_the_same_apps_are_people() -> None:
    assert [one["name"] for one in RECORDED["person"] if is_bot(environ(one))] == []
    assert all(is_bot(environ(one, "HEAD")) for one in RECORDED["person"])
    apps = {one["name"]: client_of(environ(one)) for one in RECORDED["person"]}
    assert (apps["WeChat on Android"], apps["Alipay"], apps["QQ"]) == ("wechat", "alipay", "browser")
