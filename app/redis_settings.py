"""The settings that say how Redis is reached."""

from typing import TYPE_CHECKING, Any, Final

from pydantic import Field
from pydantic_settings import BaseSettings

from models.errors import SettingsError

if TYPE_CHECKING:
    from app.store.access import RedisAccess

SECRET: Final[dict[str, Any]] = {"secret": True}  # not to be shown


class RedisSettings(BaseSettings):
    """Where Redis is, how it is secured, and as whom it is used."""

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        repr=False,
        description="redis://host:port/db, rediss:// (TLS), unix:///path, redis+cluster://host:port,..., "
        "redis+sentinel://host:port,.../primary; rediss+... (TLS)",
    )
    redis_username: str = Field("", description="ACL user, unless the URL has one")
    redis_password: str = Field(
        "", repr=False, json_schema_extra=SECRET, description="its password, unless the URL has one"
    )
    redis_password_file: str = Field("", description="file whose first line is the password")
    redis_sentinel_username: str = Field("", description="ACL user of the sentinels")
    redis_sentinel_password: str = Field("", repr=False, json_schema_extra=SECRET, description="its password")
    redis_sentinel_password_file: str = Field("", description="file whose first line is that password")
    redis_ca_file: str = Field("", description="PEM file of the CAs that Redis is trusted by; empty: the system's")
    redis_certificate_file: str = Field("", description="PEM file of this client's certificate")
    redis_key_file: str = Field("", description="PEM file of its key, unencrypted")
    redis_allow_plaintext_credentials: bool = Field(
        False, description="send passwords to other machines without TLS (to this machine it is always allowed)"
    )

    @classmethod
    def with_redis_at(cls, url: str) -> dict[str, Any]:
        """Settings for a server of one's own, which has no login and no TLS."""
        ours = {name: field.default for name, field in RedisSettings.model_fields.items()}
        return {**ours, "redis_url": url}

    @property
    def redis(self) -> "RedisAccess":
        """How Redis is reached.

        Raises
        ------
        SettingsError
            If the URL or a file cannot be used, or a password would go out unencrypted.
        """
        from app.store.access import redis_access  # here, so that what needs no Redis does not wait for its client

        return redis_access(
            self.redis_url,
            username=self.redis_username,
            password=self._secret("redis_password"),
            sentinel_username=self.redis_sentinel_username,
            sentinel_password=self._secret("redis_sentinel_password"),
            ca_file=self.redis_ca_file,
            certificate_file=self.redis_certificate_file,
            key_file=self.redis_key_file,
            allow_plaintext_credentials=self.redis_allow_plaintext_credentials,
        )

    def _secret(self, name: str) -> str:
        from app.store.access import secret_of_file

        variable = f"FRESHET_{name.upper()}"
        secret: str = getattr(self, name)
        path: str = getattr(self, f"{name}_file")
        if secret and path:
            raise SettingsError(f"{variable} and {variable}_FILE are both set, and only one can hold. Unset one.")
        return secret_of_file(f"{variable}_FILE", path) if path else secret
