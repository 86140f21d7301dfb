"""Where a service's database is, and how much of it the service may take."""

import base64
import binascii
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretBytes, SecretStr

PAGE_KEY_BYTES = 32  # AES-256, see core.database.pages


def _key_bytes(value: object) -> object:
    """Accept the key as bytes or as base64 text, the form an environment variable takes."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("the page key is base64 text") from None


def _key_length(value: object) -> object:
    key = value.get_secret_value() if isinstance(value, SecretBytes) else _key_bytes(value)
    if not isinstance(key, bytes) or len(key) != PAGE_KEY_BYTES:
        raise ValueError(f"the page key has {PAGE_KEY_BYTES} bytes")
    return SecretBytes(key)


class DatabaseSettings(BaseModel):
    """One service's database: a URL per role, and the connections one process may hold.

    A serving process needs the app role and, for its relay, the relay role. The owner's URL is
    for migrations alone: a serving process is better off without it.
    """

    model_config = ConfigDict(frozen=True)

    app_url: SecretStr
    page_key: Annotated[SecretBytes, BeforeValidator(_key_length)]
    relay_url: SecretStr | None = None
    owner_url: SecretStr | None = None
    pool_size: Annotated[int, Field(ge=1, le=64)] = 8
    read_connections: Annotated[int, Field(ge=1, le=4)] = 1
