"""Field masks: which fields an update sets (AIP-134)."""

from collections.abc import Set as AbstractSet

from google.protobuf.field_mask_pb2 import FieldMask

from core.errors import InvalidField


def named(mask: FieldMask, changeable: AbstractSet[str]) -> set[str]:
    """The fields to set. `*` stands for all.

    Raises InvalidField for a mask that names none, or what is not there.
    """
    paths = set(mask.paths)
    if paths == {"*"}:
        return set(changeable)
    if not paths or paths - changeable:
        raise InvalidField(field="update_mask", rule="field_mask")
    return paths
