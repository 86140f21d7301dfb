"""Paths of the contract as expressions and as OpenAPI writes them."""

import re

import pytest

from core.contract import everything
from edge.bindings import Binding, operations
from medhub.options.v1 import policy_pb2 as options

MERGE = Binding("POST", "/clinical/v1/{survivor=patients/*}:merge", "*")


def test_a_field_in_the_path_is_one_segment_of_its_collection() -> None:
    """The expression takes one plain id in the place of the wildcard."""
    matches = re.compile(MERGE.regex).fullmatch

    found = [
        bool(matches(f"/clinical/v1/{tail}"))
        for tail in (
            "patients/1b-2:merge",
            "patients/a/b:merge",
            "patients/a",
            "patients/:merge",
            "units/a:merge",
            "patients/%2e:merge",
            "patients/a:b:merge",
        )
    ]

    assert found == [True, False, False, False, False, False, False]


def test_a_binding_is_documented_with_named_wildcards() -> None:
    """OpenAPI names what the contract writes as a star."""
    nested = Binding("PATCH", "/clinical/v1/{hl7_endpoint.name=hl7Endpoints/*}", "hl7_endpoint")

    documented = (MERGE.documented, nested.documented)

    assert documented == (
        "/clinical/v1/patients/{patient}:merge",
        "/clinical/v1/hl7Endpoints/{hl7Endpoint}",
    )


def test_what_stands_around_the_field_is_known() -> None:
    """The guard finds the field's value in the path by what stands before and after it."""
    assert MERGE.around == ("/clinical/v1/", ":merge")


def test_only_unary_methods_of_the_public_api_are_exposed() -> None:
    """Streams and internal methods are no operations, and every operation has a binding."""
    contract = everything()

    exposed = {operation.method.path for operation in operations(contract)}

    public = {
        path
        for path, method in contract.methods.items()
        if method.policy.exposure == options.EXPOSURE_PUBLIC_API
    }
    assert exposed == public
    assert all(operation.bindings for operation in operations(contract))


@pytest.mark.parametrize(
    "path", ["/auth/validate", "/auth/authorize", "/auth/login", "/auth/refresh", "/auth/logout"]
)
def test_the_calls_of_existing_backends_are_bound(path: str) -> None:
    """Backends that call these paths today go on working."""
    bound = {
        (binding.verb, binding.template)
        for operation in operations(everything())
        for binding in operation.bindings
    }

    assert ("POST", path) in bound
