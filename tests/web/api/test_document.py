"""``GET /openapi.json``: whole, true to the program, and what the program does is what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from scancode.staff.rules import SCOPES
from scancode.web.api.refusals import REFUSALS
from scancode.web.api.routes import SCOPE_OF
from tests.web.api.conftest import GTIN, Machine, Scanned, World

DOCS = Path(__file__).parents[3] / "scancode" / "docs"
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


@only_sqlite
def test_it_is_a_valid_openapi_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()


@only_sqlite
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for part in value.values():
                yield from references(part)
        elif isinstance(value, list):
            for part in value:
                yield from references(part)

    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= names


@only_sqlite
def test_every_route_is_in_it_with_its_scope(app: Any, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule)), method.lower())
        for rule in app.url_map.iter_rules()
        if str(rule).startswith(("/api/", "/epcis/")) and rule.endpoint != "api.openapi_document"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, method, _ in operations(document)}
    for path, _, operation in operations(document):
        scope = SCOPE_OF[f"{'epcis' if path.startswith('/epcis/') else 'api'}.{operation['operationId']}"]
        assert scope in SCOPES
        assert operation["security"] == [{"token": [scope]}]
        assert operation["summary"]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


@only_sqlite
def test_every_refusal_is_a_problem_of_the_one_form(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        refusals = {status: said for status, said in operation["responses"].items() if int(status) >= 400}
        assert {"401", "403", "422", "429", "500", "503"} <= refusals.keys(), path
        assert method == "get" or {"400", "413", "415"} <= refusals.keys(), path
        for said in refusals.values():
            assert said["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@only_sqlite
def test_every_code_stands_in_the_document_and_in_the_manuals(document: dict[str, Any]) -> None:
    codes = [kind.code for kind in REFUSALS]
    assert len(set(codes)) == len(codes)
    assert document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == codes
    for manual in (DOCS / "api.md", DOCS / "zh" / "api.md"):
        text = manual.read_text(encoding="utf-8")
        for kind in REFUSALS:
            assert f"| `{kind.code}` | {kind.status} |" in text, f"{manual.name}: {kind.code}"
        for path, method, _ in operations(document):
            assert f"`{method.upper()} {path}`" in text, f"{manual.name}: {path}"
        for scope in SCOPES:
            assert f"`{scope}`" in text
        assert "`GET /healthz`" in text
        assert "`GET /readyz`" in text


@only_sqlite
def test_what_the_program_answers_is_what_the_document_says(
    world: World, machine: Machine, scanned: Scanned, document: dict[str, Any]
) -> None:
    """Made-up calls, good and bad, to every operation; each answer is checked against the document."""
    scanned(world.own, 7)
    # So that made-up calls also meet things that exist.
    known = {
        "number": [world.own.batch, world.other.batch],
        "code": [world.own.code(7), world.other.code(7), world.own.code(7)[::-1]],
        "product": [GTIN, str(world.other.product_id)],
    }
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["name"] in known:
                parameter["schema"] = {"enum": known[parameter["name"]]}
    document["components"]["schemas"]["Order"]["properties"]["product"] = {"enum": known["product"]}
    schema = schemathesis.openapi.from_dict(document)
    schema.app = world.app
    seen: set[int] = set()
    for result in schema.get_all_operations():
        make_up_calls(result.ok(), {"Authorization": f"Bearer {machine.token}"}, seen)
    assert {200, 201, 404, 409, 422} <= seen


def make_up_calls(operation: Any, headers: dict[str, str], seen: set[int]) -> None:
    """The same calls in every run: good ones, and such as break a rule of the document."""

    @seed(20261122)
    @settings(
        max_examples=20, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(data=st.data())
    def call_it(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        # A schema cannot say which products exist, nor that the first day comes before the last.
        answer = case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
        seen.add(answer.status_code)

    call_it()
