"""The OpenAPI document: its form, and that nothing of the contract is missing or added."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from core.contract import everything
from core.contract.catalogue import image
from edge.bindings import operations
from edge.openapi import document

VERBS = {"get", "post", "patch", "delete"}


@cache
def described() -> dict[str, Any]:
    """The document, made once."""
    return document(everything(), image())


def written() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, verb and operation of each entry."""
    for path, item in described()["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def in_paths() -> Iterator[dict[str, Any]]:
    """Every parameter that stands in a path."""
    for _, _, each in written():
        yield from (place for place in each.get("parameters", ()) if place["in"] == "path")


def operation(name: str) -> dict[str, Any]:
    """An operation by its id."""
    return next(each for _, _, each in written() if each["operationId"] == name)


def answered(operation: dict[str, Any], status: str) -> dict[str, Any]:
    """What an operation answers with a status: its own, or what all share."""
    told: dict[str, Any] = operation["responses"][status]
    if "$ref" in told:
        told = described()["components"]["responses"][told["$ref"].rsplit("/", 1)[1]]
    return told


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """What checks values by a schema of the document, in which references are found."""
    return Draft202012Validator({**schema, "components": described()["components"]})


def body_of(operation: dict[str, Any]) -> Draft202012Validator:
    """What checks the bodies of an operation."""
    return validator(operation["requestBody"]["content"]["application/json"]["schema"])


def test_each_binding_is_an_operation_and_there_is_no_other() -> None:
    """Paths and verbs are exactly those of the contract."""
    bound = {
        (binding.documented, binding.verb.lower())
        for each in operations(everything())
        for binding in each.bindings
    }

    assert {(path, verb) for path, verb, _ in written()} == bound


def test_internal_methods_and_streams_are_absent() -> None:
    """Nothing that the edge does not serve is told of."""
    text = str(described())

    assert not re.search("ResolvePrincipal|ProvisionKeys|AppendEvents|IngestMessages|Watch", text)


def test_operations_have_what_openapi_asks_for() -> None:
    """Ids are unique, path parameters match the path, each operation can answer and refuse."""
    seen = set()
    for path, verb, each in written():
        assert verb in VERBS
        assert each["operationId"] not in seen
        seen.add(each["operationId"])
        named = {p["name"] for p in each.get("parameters", ()) if p["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), path
        assert {"200", "400", "500", "503"} <= each["responses"].keys()
        assert all(answered(each, status)["description"] for status in each["responses"])
        assert each["summary"], path
        assert not (verb in ("get", "delete") and "requestBody" in each)


def test_every_reference_leads_somewhere_and_every_schema_is_one() -> None:
    """References resolve inside the document, and schemas are valid JSON Schema 2020-12."""
    schemas = described()["components"]["schemas"]

    references = set(re.findall(r"'#/components/schemas/([\w.]+)'", str(described())))

    assert references <= schemas.keys()
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema with an example, at any depth."""
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from schemas_in(each)


def test_every_example_satisfies_its_own_schema() -> None:
    """Of parameters, bodies and answers; the path's fit each operation that has them."""
    broken = [
        (schema, example)
        for schema in schemas_in(described())
        for example in schema["examples"]
        if not validator(schema).is_valid(example)
    ]
    patterns: dict[str, set[str]] = defaultdict(set)
    for place in in_paths():
        patterns[place["name"]].add(place["schema"].get("pattern", ""))

    assert broken == []
    for place in in_paths():
        [example] = place["schema"]["examples"]
        assert all(re.search(pattern, example) for pattern in patterns[place["name"]]), place


def test_a_patient_is_described_as_the_contract_has_it() -> None:
    """Names, comments, rules, marks and well-known types come through."""
    fields = described()["components"]["schemas"]["medhub.clinical.v1.Patient"]["properties"]

    assert fields["birth_name"]["maxLength"] == 200
    assert fields["birth_name"]["description"].startswith("Name at birth")
    assert fields["birth_name"]["x-medhub-data"] == {"class": "PERSONAL"}
    assert fields["create_time"]["format"] == "date-time"
    assert fields["create_time"]["readOnly"] is True
    assert set(fields["birth_date"]["properties"]) == {"year", "month", "day"}
    assert fields["sex"]["$ref"].endswith("medhub.clinical.v1.Sex")


def test_an_update_holds_no_more_than_what_changes() -> None:
    """Its body may have any field of the resource and needs none; to make one still needs some."""
    made = body_of(operation("PatientService_CreatePatient"))
    changed = body_of(operation("PatientService_UpdatePatient"))

    assert not made.is_valid({"used_name": "Renard"})
    assert changed.is_valid({"used_name": "Renard"})
    assert not changed.is_valid({"unheard_of": "Renard"})
    for path, verb, each in written():
        assert verb != "patch" or body_of(each).is_valid({}), path


def test_who_may_call_is_said() -> None:
    """Public operations ask for no token; the others carry their permission."""
    login, get = operation("AuthService_Login"), operation("PatientService_GetPatient")

    assert login["security"] == []
    assert "security" not in get
    assert get["x-medhub-policy"]["permission"] == "clinical.patients.read"
    assert get["x-medhub-policy"]["link"] == "CARE"


def test_reasons_stand_under_their_http_status() -> None:
    """Own and shared reasons are told in three languages, with the status they come with."""
    responses = operation("PatientService_CreatePatient")["responses"]

    taken = [r for r in responses["409"]["x-medhub-reasons"] if r["reason"] == "IDENTIFIER_TAKEN"]
    shared = {r["reason"] for r in responses["401"]["x-medhub-reasons"]}

    update = operation("PatientService_UpdatePatient")["responses"]["409"]["x-medhub-reasons"]
    assert "ETAG_MISMATCH" in {r["reason"] for r in update}
    assert taken[0]["code"] == "ALREADY_EXISTS"
    assert taken[0]["texts"].keys() == {"en", "fr", "de"}
    assert shared == {"UNAUTHENTICATED"}


def test_what_the_edge_answers_by_itself_is_told_once() -> None:
    """Each operation refers to the same four answers, which say what would fit."""
    told = {"408": "DEADLINE_EXCEEDED", "413": "REQUEST_TOO_LARGE",
            "415": "MALFORMED_REQUEST", "431": "REQUEST_TOO_LARGE"}  # fmt: skip

    for path, _, each in written():
        for status, reason in told.items():
            assert each["responses"][status] == {"$ref": f"#/components/responses/edge.{status}"}
            answer = answered(each, status)
            assert [r["reason"] for r in answer["x-medhub-reasons"]] == [reason], path
        assert "405" not in each["responses"]
    assert "1048576 bytes" in answered(operation("AuthService_Login"), "413")["description"]


def test_whoever_names_an_object_is_told_that_there_may_be_none() -> None:
    """By its path, also where the object is the caller's own and no permission is asked for."""
    silent = [
        path
        for path, _, each in written()
        if "{" in path and "NOT_FOUND" not in str(each["responses"].get("404"))
    ]

    assert silent == []


def test_what_travels_in_the_path_or_the_body_is_no_query_parameter() -> None:
    """Each field of a request has one place."""
    update = operation("PatientService_UpdatePatient")
    merge = operation("PatientService_MergePatients")

    places = {(p["in"], p["name"]) for p in update["parameters"]}
    body = merge["requestBody"]["content"]["application/json"]["schema"]

    assert ("path", "patient") in places
    assert ("query", "update_mask") in places
    assert not any(name.startswith("patient.") for _, name in places)
    assert "survivor" not in body["properties"]
    assert "duplicate" in body["required"]
