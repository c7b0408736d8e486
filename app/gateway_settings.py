"""The settings of the HTTP gateway."""

import re
from typing import Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

SCOPES: Final = ("read", "write", "admin")
KEY_FORM: Final = re.compile(r"([A-Za-z0-9._-]{1,64}):((?:read|write|admin)(?:\+(?:read|write|admin))*):([0-9a-f]{64})")
"""A key as the settings hold it: whose it is, what it may do, and its SHA-256."""


class GatewaySettings(BaseSettings):
    """Where the gateway listens, whom it lets in, and how much it takes."""

    gateway_listen_host: str = Field(
        "127.0.0.1", description="address that `freshet gateway` listens at; others than loopback want gateway_keys"
    )
    gateway_listen_port: int = Field(8400, ge=0, le=65_535, description="its port; 0: any that is free")
    gateway_processes: int = Field(1, ge=1, le=64, description="its processes, on one port")
    gateway_keys: tuple[str, ...] = Field(
        (),
        examples=[["shop:read+write:73300871f44c168e7c949de2c750e60c2c9bb8ff530017c5a267234e9cb4db8e"]],
        description="API keys, name:scopes:sha256, scopes of read, write, admin; `freshet gateway --new-key` makes "
        "one; none: loopback alone, without keys",
    )
    gateway_rate_per_s: float = Field(
        500.0, ge=0, description="requests a second of one key, or of one address without; 0: any; of each process"
    )
    gateway_burst: int = Field(1000, ge=1, description="requests that may come at once before that rate holds")
    gateway_max_body_bytes: int = Field(2_000_000, ge=1000, description="longest body of a request")
    gateway_max_events: int = Field(500, ge=1, le=10_000, description="most events in one request")
    gateway_max_wait_ms: int = Field(2000, ge=0, le=60_000, description="longest wait_ms for a list made from an event")
    gateway_max_requests: int = Field(1000, ge=1, description="requests under way in a process; more are put off (503)")
    gateway_timeout_s: float = Field(
        10.0, ge=0.1, le=300, description="a body not here, or a record that Kafka has not, fails after, s"
    )
    gateway_drain_s: int = Field(10, ge=1, le=600, description="time for requests under way when told to stop, s")
    gateway_cors_origins: tuple[str, ...] = Field(
        (), examples=[["https://shop.example"]], description="web origins whose pages may ask; none: no CORS"
    )

    gateway_metrics_listen_port: int = Field(
        0, ge=0, le=65_535, description="port of the gateway's /metrics, one for all processes; 0: not served"
    )
    gateway_metrics_listen_host: str = Field(
        "127.0.0.1", description="address that it is bound to; it asks for no password, e.g. 0.0.0.0 in a container"
    )

    @field_validator("gateway_keys")
    @classmethod
    def _keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        names = set()
        for number, key in enumerate(keys, 1):
            found = KEY_FORM.fullmatch(key)
            if found is None:  # not quoted: it may be a key itself
                raise ValueError(f"the entry at {number} is not name:scopes:sha256 (`freshet gateway --new-key`)")
            if found[1] in names:
                raise ValueError(f"the name {found[1]} stands there twice")
            names.add(found[1])
        return keys
