"""The methods that the edge exposes and the HTTP paths they are bound to.

The grammar of paths is that of google/api/http.proto, as far as the contract uses it: literals,
`{field=collection/*}` and a custom verb.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from core.contract import Contract, Method
from medhub.options.v1 import policy_pb2 as options

_VARIABLE = re.compile(r"\{(?P<field>[a-z0-9_.]+)(=(?P<shape>[^}]+))?\}")
# One segment of a path: ids need no escapes, so none is let in (`%00`, `%2F`, half a character),
# and a colon starts a custom verb.
_SEGMENT = "[A-Za-z0-9._~-]+"


class UnknownTemplate(Exception):
    """A binding whose path uses a part of the grammar that the edge does not know."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A field of the request that stands in the path: `name` as `patients/*`."""

    field: str
    shape: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """What a reader calls the wildcards: `patient` for `patients/*`."""
        parts = self.shape.split("/")
        return tuple(
            parts[place - 1].removesuffix("s") if place else self.field
            for place, part in enumerate(parts)
            if part == "*"
        )

    @property
    def documented(self) -> str:
        """`patients/{patient}`."""
        names = iter(self.parameters)
        return "/".join(f"{{{next(names)}}}" if p == "*" else p for p in self.shape.split("/"))

    @property
    def regex(self) -> str:
        """What the path may hold in this place."""
        return "/".join(_SEGMENT if p == "*" else re.escape(p) for p in self.shape.split("/"))


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to reach a method by HTTP. `body` names a field, `*` is the rest of the request."""

    verb: str
    template: str
    body: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The fields that stand in the path, in their order."""
        return tuple(
            Variable(found["field"], found["shape"] or "*")
            for found in _VARIABLE.finditer(self.template)
        )

    @property
    def around(self) -> tuple[str, str]:
        """What stands before and after the field in the path."""
        before, _, after = _VARIABLE.sub("\0", self.template).partition("\0")
        return before, after

    @property
    def is_literal(self) -> bool:
        """No field stands in the path."""
        return not self.variables

    @property
    def regex(self) -> str:
        """What matches the whole path, for RE2."""
        return self._each(lambda variable: variable.regex, re.escape)

    @property
    def documented(self) -> str:
        """The path as OpenAPI writes it: `/clinical/v1/patients/{patient}:merge`."""
        return self._each(lambda variable: variable.documented, str)

    def _each(self, variable: Callable[[Variable], str], literal: Callable[[str], str]) -> str:
        out: list[str] = []
        at = 0
        for found in _VARIABLE.finditer(self.template):
            out.append(literal(self.template[at : found.start()]))
            out.append(variable(Variable(found["field"], found["shape"] or "*")))
            at = found.end()
        return "".join([*out, literal(self.template[at:])])


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of the public API with its bindings; the first is the one to use."""

    method: Method
    descriptor: MethodDescriptor
    bindings: tuple[Binding, ...]

    @property
    def cluster(self) -> str:
        """The service that serves it: `clinical` for `medhub.clinical.v1.…`."""
        return self.method.service.split(".")[1]

    def body_of(self, binding: Binding) -> FieldDescriptor | Descriptor | None:
        """What the HTTP body is: a field of the request, the request itself, or nothing."""
        if binding.body == "*":
            return self.descriptor.input_type
        return self.descriptor.input_type.fields_by_name[binding.body] if binding.body else None


def operations(contract: Contract) -> tuple[Operation, ...]:
    """Every method of the public API, by path. Streams and internal methods are none of them."""
    return tuple(
        Operation(method, _descriptor(method), tuple(_bindings(method)))
        for _, method in sorted(contract.methods.items())
        if method.policy.exposure == options.EXPOSURE_PUBLIC_API and not method.streaming
    )


def _descriptor(method: Method) -> MethodDescriptor:
    service = descriptor_pool.Default().FindServiceByName(method.service)
    found: MethodDescriptor = service.methods_by_name[method.name.split("/")[1]]
    return found


def _bindings(method: Method) -> Iterator[Binding]:
    rule = _descriptor(method).GetOptions().Extensions[annotations_pb2.http]
    for each in (rule, *rule.additional_bindings):
        yield _binding(method, each)


def _binding(method: Method, rule: http_pb2.HttpRule) -> Binding:
    verb = rule.WhichOneof("pattern")
    if verb is None or verb == "custom":
        raise UnknownTemplate(f"{method.name}: {rule}")
    template = getattr(rule, verb)
    if "**" in template or rule.response_body or len(_VARIABLE.findall(template)) > 1:
        raise UnknownTemplate(f"{method.name}: {template}")
    return Binding(verb.upper(), template, rule.body)
