"""The OpenAPI 3.1 document of the public API, made from the contract alone."""

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from core.contract import Access, Contract, everything
from core.contract.catalogue import image
from edge.answers import STATUS, STATUS_SCHEMA, answers, answers_of_the_edge
from edge.bindings import Binding, Operation, operations
from edge.comments import comments
from edge.policy_words import policy_words
from edge.schemas import Schema, Schemas, is_output, is_required

_ABOUT = (
    "The public API of medhub. The organization comes from the token and never stands in a"
    " request. Field names are those of the contract (snake_case). Every refusal is a"
    " google.rpc.Status. A path that is none answers 404, and another verb on a path 405"
    " (`NOT_SERVED`) with the verbs that are served in `allow`. The same methods are served over"
    " gRPC and gRPC-Web under `/<service>/<method>`."
)
# What a name ends in, for an example: an id, but where people choose or know it by a word.
_ID = "0198c6f2-7d4a-7c31-9b1e-3f5a2c8d6e47"
_WORDS = {"role": "ward_clerk", "ledgerAccount": "receivable"}


def document(contract: Contract, descriptors: FileDescriptorSet) -> dict[str, Any]:
    """The whole document."""
    exposed = operations(contract)
    told = comments(descriptors)
    writer = _Writer(contract, told, Schemas(told))
    paths: dict[str, dict[str, Any]] = {}
    for operation in exposed:
        for place, binding in enumerate(operation.bindings):
            item = paths.setdefault(binding.documented, {})
            item[binding.verb.lower()] = writer.operation(operation, binding, place)
    return {
        "openapi": "3.1.0",
        "info": {"title": "medhub", "version": version("medhub"), "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": _tags(exposed, told),
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted({**writer.schemas.made, STATUS: STATUS_SCHEMA}.items())),
            "responses": answers_of_the_edge(contract),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "`access_token` of AuthService.Login.",
                }
            },
        },
    }


def printed() -> str:
    """The document as indented JSON."""
    return json.dumps(document(everything(), image()), ensure_ascii=False, indent=2)


def _tags(exposed: tuple[Operation, ...], told: Mapping[str, str]) -> list[dict[str, str]]:
    names = dict.fromkeys(operation.method.service for operation in exposed)
    return [{"name": name, "description": told.get(name, "")} for name in names]


class _Writer:
    def __init__(self, contract: Contract, told: Mapping[str, str], schemas: Schemas) -> None:
        self._contract = contract
        self._told = told
        self.schemas = schemas

    def operation(self, operation: Operation, binding: Binding, place: int) -> dict[str, Any]:
        """One binding of a method as an operation; the first carries the method's plain name."""
        method = operation.method
        service, name = method.name.rsplit(".", 1)[1].split("/")
        comment = self._told.get(f"{method.service}.{name}", "")
        written: dict[str, Any] = {
            "operationId": f"{service}_{name}" + (f"_{place + 1}" if place else ""),
            "tags": [method.service],
            "summary": comment.split(". ", 1)[0].split("\n", 1)[0].rstrip("."),
            "description": comment,
            "x-medhub-method": method.name,
            "x-medhub-policy": policy_words(method),
        }
        if place:
            first = operation.bindings[0].documented
            written["description"] = (
                f"The same as `{first}`, kept for callers of this path.\n\n{comment}"
            )
        if method.access is Access.PUBLIC:
            written["security"] = []
        if parameters := [*self._path(operation, binding), *self._query(operation, binding)]:
            written["parameters"] = parameters
        if body := self._body(operation, binding):
            written["requestBody"] = body
        result = self.schemas.of(operation.descriptor.output_type)
        written["responses"] = answers(method, result, self._contract)
        return written

    def _path(self, operation: Operation, binding: Binding) -> Iterator[dict[str, Any]]:
        for variable in binding.variables:
            field = _at(operation.descriptor.input_type, variable.field)
            whole = self.schemas.field(field)
            for name in variable.parameters:
                schema: Schema = {"type": "string", "examples": [_WORDS.get(name, _ID)]}
                prefix = f"^{variable.shape.removesuffix('*')}"
                if (pattern := whole.get("pattern", "")).startswith(prefix):
                    schema["pattern"] = "^" + pattern.removeprefix(prefix)
                yield {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": schema,
                    "description": f"With it `{variable.field}` is `{variable.documented}`.",
                }

    def _query(self, operation: Operation, binding: Binding) -> Iterator[dict[str, Any]]:
        if binding.body == "*":
            return
        taken = {variable.field for variable in binding.variables} | {binding.body}
        for name, field, needed in _leaves(operation.descriptor.input_type, "", taken):
            schema = self.schemas.field(field)
            parameter: dict[str, Any] = {"name": name, "in": "query", "schema": schema}
            if about := schema.pop("description", ""):
                parameter["description"] = about
            if needed:
                parameter["required"] = True
            yield parameter

    def _body(self, operation: Operation, binding: Binding) -> dict[str, Any] | None:
        body = operation.body_of(binding)
        if body is None:
            return None
        if isinstance(body, FieldDescriptor):
            updates = "update_mask" in operation.descriptor.input_type.fields_by_name
            schema = self.schemas.change(body) if updates else self.schemas.field(body)
        elif taken := frozenset(variable.field for variable in binding.variables):
            schema = self.schemas.object(body, without=taken)
        else:
            schema = self.schemas.of(body)
        return {"required": True, "content": {"application/json": {"schema": schema}}}


def _at(message: Descriptor, path: str) -> FieldDescriptor:
    first, _, rest = path.partition(".")
    field = message.fields_by_name[first]
    return _at(field.message_type, rest) if rest and field.message_type else field


def _leaves(
    message: Descriptor, prefix: str, taken: set[str]
) -> Iterator[tuple[str, FieldDescriptor, bool]]:
    """Fields that a query can hold: simple ones, and those of messages by dotted names."""
    for field in message.fields:
        name = prefix + field.name
        inner = field.message_type
        if name in taken or is_output(field):
            continue
        if inner is None or inner.file.package == "google.protobuf":
            yield name, field, is_required(field)
        elif not field.is_repeated:
            yield from _leaves(inner, f"{name}.", taken)
