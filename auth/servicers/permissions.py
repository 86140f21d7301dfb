"""The permissions that the contracts declare, and what each opens: the catalogue of roles."""

from collections.abc import Iterator, Mapping

from core.contract import everything
from core.contract.catalogue import image
from medhub.auth.v1.role_pb2 import PermissionUse

_SERVICES, _METHODS = 6, 2  # Field numbers in the paths of descriptor.proto's comments.


def catalogue() -> Mapping[str, list[PermissionUse]]:
    """Every permission, with the methods that it opens by name."""
    comments = dict(_comments())
    opened: dict[str, list[PermissionUse]] = {}
    for method in sorted(everything().methods.values(), key=lambda each: each.name):
        if method.permission:
            use = PermissionUse(method=method.name, comment=comments.get(method.name, ""))
            opened.setdefault(method.permission, []).append(use)
    return opened


def _comments() -> Iterator[tuple[str, str]]:
    """The first paragraph of each method's comment, by the method's full name."""
    for file in image().file:
        if not file.package.startswith("medhub."):
            continue
        for place in file.source_code_info.location:
            match list(place.path):
                case [kind, service, inner, method] if (kind, inner) == (_SERVICES, _METHODS):
                    said = file.service[service]
                    name = f"{file.package}.{said.name}/{said.method[method].name}"
                    paragraph = place.leading_comments.strip().split("\n\n")[0]
                    yield name, " ".join(paragraph.split())
