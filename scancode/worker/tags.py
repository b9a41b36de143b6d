"""Puts a tag on the members whom an uploaded file names, or takes it off: all of them in one transaction at the end.
Who was not found stands in the report; the others are tagged all the same."""

from __future__ import annotations

import json
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from scancode.stories import tagging
from scancode.stories.code_lists import count_lines
from scancode.stories.sent_files import Sender
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadState
from scancode.worker.uploads import FIRST_PROBLEMS, Attempt, row_of, write_table

log = structlog.get_logger(__name__)


def take_up(attempt: Attempt) -> None:
    row, wish = attempt.row, json.loads(attempt.row.wish)
    ((path, _),) = attempt.files()
    total = count_lines(path)
    attempt.report(0, total, "reading")
    listed = tagging.read_people(
        path,
        brand_id=row.brand_id,
        sealer=attempt.wired.sealer,
        on_rows=lambda rows: attempt.report(rows, total, "reading"),
    )
    attempt.report(listed.lines, listed.lines, "writing")

    def work(session: Session) -> tagging.Outcome | None:
        now = attempt.clock()
        # First, so that whoever cancels at this moment waits, and then is told that it is too late.
        if not uploads.move(session, row.id, was={UploadState.RUNNING}, to=UploadState.DONE, ended_at=now):
            return None
        sender = Sender(row.brand_id, row.actor, row.staff_id, attempt.wired.settings.var_dir, now)
        done = tagging.carry_out(
            session, sender=sender, tag_id=UUID(wish["tag"]), verb=wish["verb"], listed=listed, upload_id=row.id
        )
        if done.problems:
            attempt.folder.mkdir(parents=True, exist_ok=True)
            head = ("line", "column", "code", "cell")
            write_table(uploads.report_path(sender.var_dir, row.id), head, map(row_of, done.problems))
        first = [list(row_of(one)) for one in done.problems[:FIRST_PROBLEMS]]
        result = {"found": done.found, "changed": done.changed, "problems": first}
        figures = {"rows": listed.lines, "problems": done.missing, "result": result}
        uploads.move(session, row.id, was={UploadState.DONE}, to=UploadState.DONE, **figures)
        return done

    done = attempt.commit(work)
    if done is not None:
        log.info("tags_changed", id=str(row.id), found=done.found, changed=done.changed, missing=done.missing)
