"""Checks the files that a print house returned, as ``python -m batches check`` does, with the keys of the brand's own
batches: nobody has to hand one out. What is found becomes a verdict, a page and two reports."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from batches.archives import Opened, Sent, open_archives, opened_bytes
from batches.codes import Verifier
from batches.manifest import Manifest
from batches.preflight import Report, VerifierFor, check_files
from batches.reported import as_dict, sentences, verdict
from scancode.codes import service as codes
from scancode.stories.code_lists import count_lines
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadState
from scancode.wiring import Wired
from scancode.worker.uploads import Attempt, write_json, write_table

SHOWN = 10
"""Findings of one sort that the page shows."""
REPORTED = 1_000
"""Findings of one sort in one file that the reports list; the others are counted."""
FILES_SHOWN = 100


def take_up(attempt: Attempt) -> None:
    """Raises Refusal, PressError, Cancelled, LeaseLost."""
    sent: list[Sent] = []
    for path, row in attempt.files():
        again = sum(other.name.rpartition(" (")[0] == row.name or other.name == row.name for other in sent)
        sent.append(Sent(path, f"{row.name} ({again + 1})" if again else row.name))
    attempt.require_space(opened_bytes(sent))
    folder = attempt.folder / "opened"
    shutil.rmtree(folder, ignore_errors=True)  # what a killed attempt left
    try:
        report, opened = _check(attempt, sent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    write_json(uploads.report_path(attempt.wired.settings.var_dir, attempt.id, "json"), _facts(report, opened))
    rows = ((each.code, each.file, each.row, *sentences(each)) for each in report.findings)
    write_table(
        uploads.report_path(attempt.wired.settings.var_dir, attempt.id), ("code", "file", "row", "zh", "en"), rows
    )
    attempt.end(
        {UploadState.RUNNING},
        UploadState.DONE,
        rows=sum(file.rows for file in report.files),
        problems=sum(report.counts.values()),
        result=_shown(report, opened),
    )


def _check(attempt: Attempt, sent: Sequence[Sent]) -> tuple[Report, Opened]:
    size = opened_bytes(sent)
    opened = open_archives(
        sent, attempt.folder / "opened", on_bytes=lambda done: attempt.report(done >> 10, size >> 10, "opening")
    )
    total = 0
    for file in opened.files:
        total += count_lines(file.path)
        attempt.report(0, total, "counting")
    report = check_files(
        opened.files,
        verifiers=verifiers_of(attempt.wired, attempt.row.brand_id),
        manifest=manifest_of(attempt.wired, attempt.row.brand_id, json.loads(attempt.row.wish)["batch"]),
        on_progress=lambda rows, _: attempt.report(rows, total, "reading"),
        shown_max=REPORTED,
    )
    return report, opened


def verifiers_of(wired: Wired, brand_id: UUID) -> VerifierFor:
    """The key of a batch of the brand; there is none for any other's."""

    @cache
    def verifiers(number: int) -> tuple[Verifier, ...]:
        with wired.db.reading() as session:
            batch = codes.find_batch(session, number=number)
        if batch is None or batch.brand_id != brand_id:
            return ()
        return (Verifier(wired.keyring.derive(batch.kid, batch.salt)),)

    return verifiers


def manifest_of(wired: Wired, brand_id: UUID, number: int | None) -> Manifest | None:
    """What is expected, where somebody named the batch. Raises NotFound for another brand's."""
    if number is None:
        return None
    with wired.db.reading() as session:
        text = codes.get_batch(session, number=number, brand_id=brand_id).manifest
    return None if text is None else Manifest.from_json(text.encode())


def _facts(report: Report, opened: Opened) -> dict[str, Any]:
    return {**as_dict(report), "skipped": list(opened.skipped)}


def _shown(report: Report, opened: Opened) -> dict[str, Any]:
    """What the page shows: short, whatever the files were."""
    facts = _facts(report, opened)
    first: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in facts.pop("findings"):
        if len(first[finding["code"]]) < SHOWN:
            first[finding["code"]].append({name: finding[name] for name in ("file", "row", "zh", "en")})
    facts["files"], facts["more_files"] = facts["files"][:FILES_SHOWN], max(0, len(facts["files"]) - FILES_SHOWN)
    facts["skipped"] = facts["skipped"][:FILES_SHOWN]
    facts["verdict"] = dict(zip(("zh", "en"), verdict(report), strict=True))
    return {**facts, "first": first}
