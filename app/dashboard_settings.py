"""The settings of the dashboard."""

from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

LEAST_TOKEN: Final = 16


class DashboardSettings(BaseSettings):
    """Where `freshet dashboard` listens, whom it lets in, and what it may show and do."""

    dashboard_listen_host: str = Field(
        "127.0.0.1", description="address that `freshet dashboard` listens at; without TLS loopback is the safe one"
    )
    dashboard_listen_port: int = Field(8500, ge=0, le=65_535, description="its port; 0: any that is free")
    dashboard_token: str = Field(
        "",
        json_schema_extra={"secret": True},
        description="opens the dashboard, 16 characters or more; empty: made anew at each start, and printed",
    )
    dashboard_workers: tuple[str, ...] = Field(
        (),
        examples=[["http://127.0.0.1:9108/metrics"]],
        description="where it reads workers' metrics; a name with several addresses is all of them; none: at "
        "metrics_listen_port of this machine",
    )
    dashboard_mask_users: bool = Field(
        False, description="show no user_id: events and lists without the names of whose they are"
    )
    dashboard_changes: bool = Field(
        False, description="let its pages send clicks and re-drive dead letters; otherwise it only shows"
    )
    dashboard_max_pages: int = Field(200, ge=1, le=10_000, description="open pages that are kept up to date")
    dashboard_tls_cert: str = Field("", description="PEM file with the certificate to serve HTTPS by; empty: HTTP")
    dashboard_tls_key: str = Field("", description="PEM file with its key; empty: the certificate's file has it")

    @field_validator("dashboard_token")
    @classmethod
    def _token(cls, token: str) -> str:
        if token and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
            raise ValueError(f"not {LEAST_TOKEN} or more printable ASCII characters without spaces")
        return token

    @field_validator("dashboard_workers")
    @classmethod
    def _workers(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return checked_urls(urls)


def checked_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses of workers' metrics.

    Raises
    ------
    ValueError
        If one could not be asked.
    """
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http:// or https:// address")
    return urls
