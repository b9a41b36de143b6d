"""Members and tags for machines: found by phone, tagged by id, by file; rights, brands, repeats."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest

from scancode.members import service as members
from scancode.worker import loop
from tests.factories import NOW
from tests.web.api.conftest import Brand, World

PHONE = "+8613800000001"


def join(world: World, brand: Brand, phone: str = PHONE) -> UUID:
    with world.wired.db.transaction() as session:
        identity = members.identify(
            session, brand_id=brand.id, kind="phone", value=phone, sealer=world.wired.sealer, now=NOW
        )
        return members.join(session, phone_identity_id=identity.id, brand_id=brand.id, language="zh", now=NOW)[0].id


def test_a_member_is_found_by_phone_and_tagged(world: World) -> None:
    crm, alice = world.machine(), join(world, world.own)
    made = crm.post("/tags", {"name": "Tea club"}, {"Idempotency-Key": "t1"})
    assert (made.status_code, made.json["members"]) == (201, 0)
    assert crm.post("/tags", {"name": "Tea club"}, {"Idempotency-Key": "t1"}).json == made.json
    assert crm.post("/tags", {"name": "TEA CLUB"}).json["code"] == "tag_taken"
    assert crm.post("/tags", {"name": "x", "public_en": "half"}).json["code"] == "tag_name"
    found = crm.post("/members/find", {"phone": "138 0000 0001"})
    assert (found.status_code, found.json["id"], found.json["tags"]) == (200, str(alice), [])
    assert "8000" not in found.text
    assert crm.post("/members/find", {"phone": "13800000002"}).status_code == 404
    assert crm.post("/members/find", {"phone": "12"}).json["code"] == "bad_phone"
    assert [row.subject for row in world.audited("member.find")] == [f"member:{alice}", "member"]
    tag = made.json["id"]
    for _ in range(2):
        told = crm.post(f"/members/{alice}/tags", {"add": [tag]}).json
    assert [(one["id"], one["source"]) for one in told["tags"]] == [(tag, "api")]
    assert len(world.audited("member.tag")) == 1
    assert crm.get("/tags").json["items"][0]["members"] == 1
    assert crm.post(f"/tags/{tag}", {"name": "Tea", "public_zh": "茶", "public_en": "Tea"}).json["public_en"] == "Tea"
    assert crm.post(f"/members/{alice}/tags", {"add": [str(UUID(int=1))]}).status_code == 404
    assert crm.get(f"/members/{alice}").json["tags"][0]["name"] == "Tea"
    assert crm.post(f"/tags/{tag}/delete", {}).json == {"members": 1}
    assert crm.get(f"/members/{alice}").json["tags"] == []


def test_another_brands_people_and_tags_do_not_exist(world: World) -> None:
    crm, mallory = world.machine(), world.machine(brand=world.other)
    alice = join(world, world.own)
    tag = crm.post("/tags", {"name": "T"}).json["id"]
    theirs = mallory.post("/tags", {"name": "T"}).json["id"]
    assert mallory.get(f"/members/{alice}").status_code == 404
    assert mallory.post(f"/members/{alice}/tags", {"add": [theirs]}).status_code == 404
    assert crm.post(f"/members/{alice}/tags", {"add": [theirs]}).status_code == 404
    assert mallory.post(f"/tags/{tag}", {"name": "X"}).status_code == 404
    assert mallory.post(f"/tags/{tag}/delete", {}).status_code == 404
    assert mallory.post("/members/find", {"phone": PHONE}).status_code == 404
    assert mallory.post("/members/find", {"phone": PHONE, "brand": world.own.slug}).status_code != 200


@pytest.mark.parametrize(("path", "body"), [("/tags", {"name": "T"}), (f"/members/{UUID(int=1)}/tags", {"add": []})])
def test_writing_takes_its_own_right(world: World, path: str, body: dict[str, object]) -> None:
    reader = world.machine(["members:read"])
    assert reader.post(path, body).json["code"] == "scope_missing"
    assert world.machine(["batches:read"]).get("/tags").json["code"] == "scope_missing"


def test_a_file_of_members_is_told_about_to_who_reads_members_only(world: World) -> None:
    crm, line = world.machine(["members:read", "members:write"]), world.machine(["batches:read", "batches:files"])
    alice = join(world, world.own)
    tag = crm.post("/tags", {"name": "T"}).json["id"]
    headers = {"Authorization": f"Bearer {crm.token}", "Accept-Language": "en", "Idempotency-Key": "f1"}
    sent = [
        crm.client.post(
            f"/api/v1/tags/{tag}/files",
            data={"file": (io.BytesIO(f"{alice}\n13900000009\n".encode()), "people.csv")},
            headers=headers,
        )
        for _ in range(2)
    ]
    assert [one.status_code for one in sent] == [202, 202]
    assert sent[0].json["id"] == sent[1].json["id"]
    loop.run(world.wired, stop_event=threading.Event(), once=True, kinds=["upload"], clock=lambda: datetime.now(UTC))
    place = f"/tags/files/{sent[0].json['id']}"
    told = crm.get(place).json
    assert (told["state"], told["result"], told["problems"]) == ("done", {"found": 1, "changed": 1}, 1)
    assert told["first_problems"][0]["cell"] == "139****0009"
    assert told["first_problems"][0]["problem"] == "No member has this phone number or id."
    report = crm.get(f"{place}/report")
    assert "139****0009" in report.text
    report.close()
    assert line.get(f"/uploads/{sent[0].json['id']}").status_code == 404
    assert line.get(f"/uploads/{sent[0].json['id']}/report").status_code == 404
    assert line.get("/uploads").json["items"] == []
    assert world.machine(brand=world.other).get(place).status_code == 404
