"""The contracts of a server, or of the whole platform, as one value."""

import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from core.contract.methods import Method, method_of
from core.contract.reasons import Reason, reasons_of

SHARED = "medhub.options.v1"


@dataclass(frozen=True)
class Contract:
    """Methods by path, reasons by name, and the permissions that the methods ask for."""

    methods: dict[str, Method]
    reasons: dict[str, Reason]

    @property
    def permissions(self) -> frozenset[str]:
        """Every permission that some method asks for."""
        return frozenset(m.permission for m in self.methods.values() if m.permission)

    @property
    def services(self) -> tuple[str, ...]:
        """Full names of the services, sorted."""
        return tuple(sorted({m.service for m in self.methods.values()}))


@cache
def load(*packages: str) -> Contract:
    """Read the contracts of these packages and the shared reasons.

    Raises Malformed for a method without a whole policy: a server that reads it does not start.
    """
    methods: dict[str, Method] = {}
    reasons: dict[str, Reason] = {}
    for file in files_of((SHARED, *packages)):
        for service in file.services_by_name.values():
            for descriptor in service.methods:
                method = method_of(descriptor)
                methods[method.path] = method
        for name, reason in reasons_of(file).items():
            if name in reasons:
                raise ValueError(f"two reasons are named {name}")
            reasons[name] = reason
    return Contract(methods=methods, reasons=reasons)


@cache
def packages() -> tuple[str, ...]:
    """Every package of medhub that has services, sorted."""
    root = import_module("medhub")
    names = (m.name for m in pkgutil.walk_packages(root.__path__, "medhub."))
    return tuple(sorted({n.rpartition(".")[0] for n in names if n.endswith("_service_pb2")}))


def everything() -> Contract:
    """The contracts of the whole platform."""
    return load(*packages())


@cache
def image() -> FileDescriptorSet:
    """The full descriptor set with comments, as generated: for documents, never for decisions."""
    content = files("medhub").joinpath("contract.binpb").read_bytes()
    return FileDescriptorSet.FromString(content)


def files_of(names: Iterable[str]) -> Iterator[FileDescriptor]:
    """The files of these packages. Raises ModuleNotFoundError."""
    for name in names:
        package = import_module(name)
        for module in pkgutil.iter_modules(package.__path__, f"{name}."):
            if module.name.endswith("_pb2"):
                yield import_module(module.name).DESCRIPTOR
