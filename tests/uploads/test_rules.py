"""Names and space, without a database."""

from __future__ import annotations

import pytest

from scancode.uploads.rules import SPARE_BYTES, DiskFull, plain_name, require_space


@pytest.mark.parametrize(
    ("sent", "name"),
    [("C:\\lines\\a.csv", "a.csv"), ("../../etc/passwd", "passwd"), ("码 1.csv", "码 1.csv"),
     ("a\x00\nb.csv", "ab.csv"), ("", "file"), ("..", "file"), ("x" * 200 + ".csv", "x" * 116 + ".csv")],
)  # fmt: skip
def test_names_are_the_last_part_in_plain_signs(sent: str, name: str) -> None:
    assert plain_name(sent) == name


def test_the_disk_is_never_filled_up() -> None:
    require_space(needs_bytes=10, free_bytes=SPARE_BYTES + 10)
    with pytest.raises(DiskFull) as caught:
        require_space(needs_bytes=11_000_000, free_bytes=SPARE_BYTES + 10)
    assert caught.value.facts == {"needs_mb": 61, "has_mb": 50}
