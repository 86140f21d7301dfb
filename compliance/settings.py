"""What compliance's commands are told from outside; the server's settings are core's."""

import os
from typing import Self

from pydantic import SecretBytes, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.database import DatabaseSettings
from core.database.settings import PAGE_KEY_BYTES


class CommandSettings(BaseSettings):
    """A command needs the database and nothing else of the server's environment."""

    model_config = SettingsConfigDict(env_prefix="MEDHUB_COMPLIANCE_", extra="ignore", frozen=True)

    # Connection of the app role.
    database_app_url: SecretStr

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment."""
        return cls()  # type: ignore[call-arg]  # the environment has it

    def database(self) -> DatabaseSettings:
        """One connection, and a page key that is thrown away: commands list nothing."""
        return DatabaseSettings(
            app_url=self.database_app_url,
            page_key=SecretBytes(os.urandom(PAGE_KEY_BYTES)),
            pool_size=1,
        )
