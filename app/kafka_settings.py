"""The settings that say how Kafka is reached."""

from typing import Any, Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from app.broker import Broker
from app.security import Security

PREFIX: Final = "kafka_"
SECRET: Final[dict[str, Any]] = {"secret": True}  # not to be shown


class KafkaSettings(BaseSettings):
    """Where Kafka is, how it is secured, and as whom it is used."""

    broker: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, host:port[,host:port]")
    kafka_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how Kafka is spoken to: with TLS (SSL), with a login (SASL)"
    )
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER"] = Field(
        "SCRAM-SHA-512", description="how the login is made, with SASL_SSL or SASL_PLAINTEXT"
    )
    kafka_username: str = Field("", description="user of the login; for kafka_token_url the client's id")
    kafka_password: str = Field(
        "", repr=False, json_schema_extra=SECRET, description="its password; for kafka_token_url the client's secret"
    )
    kafka_password_file: str = Field("", description="file with that password, read again for every client")
    kafka_ca_file: str = Field("", description="PEM file of the CAs that brokers are trusted by; empty: the system's")
    kafka_certificate_file: str = Field("", description="PEM file of this client's certificate")
    kafka_key_file: str = Field("", description="PEM file of its key; empty: it is in kafka_certificate_file")
    kafka_key_password: str = Field("", repr=False, json_schema_extra=SECRET, description="password of that key")
    kafka_token_file: str = Field("", description="file with a token for OAUTHBEARER, read for every connection")
    kafka_token_url: str = Field("", description="https URL that gives tokens for client credentials")
    kafka_token_scope: str = Field("", description="scope of these tokens")
    kafka_allow_plaintext_credentials: bool = Field(
        False, description="send credentials to other machines without TLS (to this machine it is always allowed)"
    )

    @property
    def kafka(self) -> Broker:
        """How Kafka is reached.

        Raises
        ------
        SettingsError
            If the settings do not fit together, or credentials would go out unencrypted.
        """
        return Broker(
            self.broker, Security(**{name.removeprefix(PREFIX): value for name, value in self._own().items()})
        )

    def _own(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in KafkaSettings.model_fields if name.startswith(PREFIX)}

    @property
    def kafka_access(self) -> dict[str, Any]:
        """Every setting of this kind, for those who take nothing else from here."""
        return {"broker": self.broker, **self._own()}

    @classmethod
    def with_kafka_at(cls, broker: str) -> dict[str, Any]:
        """Settings for a broker of one's own, which has no login and no TLS."""
        ours = {name: field.default for name, field in KafkaSettings.model_fields.items()}
        return {**ours, "broker": broker}
