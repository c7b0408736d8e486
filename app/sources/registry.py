"""Schemas by their number, from a schema registry over HTTP, each asked for once."""

import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import orjson

from app.sources.avro import AvroReader
from app.sources.framing import json_value
from models.errors import InvalidEvent, SchemaUnavailable, SettingsError

TIMEOUT_S: Final = 10.0
_MAX_REFERENCES: Final = 100
_ACCEPT: Final = "application/vnd.schemaregistry.v1+json"

Fetch = Callable[[str], Awaitable[bytes]]
"""Gives the body that a path of the registry answers with; raises `SchemaUnavailable`."""

Decode = Callable[[bytes], Any]


class Schemas:
    """What reads a body, by the id in its frame or header: `ids/17`, `guids/<GUID>`.

    Parameters
    ----------
    fetch
        Asks the registry.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, Decode] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def __getitem__(self, name: str) -> Decode:
        """What reads bodies of this schema.

        Raises
        ------
        SchemaUnavailable
            If it has not been fetched.
        """
        decode = self._known.get(name)
        if decode is None:
            raise SchemaUnavailable(f"schema {name} has not been fetched from the registry yet: prepare the records.")
        return decode

    async def fetch(self, name: str) -> None:
        """Fetch a schema and those that it refers to.

        Raises
        ------
        SchemaUnavailable
            If one cannot be had.
        """
        found = _answer(await self._fetch(f"/schemas/{name}"), name)
        kind = found.get("schemaType") or "AVRO"
        if kind == "JSON":
            self._known[name] = json_value
        elif kind == "AVRO":
            references: dict[tuple[str, str], str] = {}
            await self._references(found, references)
            try:
                self._known[name] = AvroReader(
                    found["schema"], tuple(references.values()), what=f"schema {name} of the registry"
                ).read
            except SettingsError as error:
                raise SchemaUnavailable(f"{error} Mend it in the registry.") from None
        else:
            self._known[name] = _unread(name, str(kind))

    async def _references(self, found: dict[str, Any], seen: dict[tuple[str, str], str]) -> None:
        """Take in what a schema refers to, the deepest first."""
        for reference in found.get("references") or ():
            place = (str(reference["subject"]), str(reference["version"]))
            if place in seen:
                continue
            if len(seen) >= _MAX_REFERENCES:
                raise SchemaUnavailable(f"a schema refers to more than {_MAX_REFERENCES} others: use fewer.")
            path = f"/subjects/{_quoted(place[0])}/versions/{_quoted(place[1])}"
            answer = _answer(await self._fetch(path), path)
            await self._references(answer, seen)
            seen[place] = answer["schema"]


def http_fetch(url: str, ca_file: str | None, login_file: str | None) -> Fetch:
    """Asks a registry at a URL; a password comes from a file, or from the URL itself, and is in no message."""
    base, login = _without_login(url)
    if login_file is not None:
        try:
            login = Path(login_file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"registry_login_file {login_file} cannot be read ({type(error).__name__}).") from None
    headers = {"Accept": _ACCEPT} | ({"Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {})
    try:
        tls = ssl.create_default_context(cafile=ca_file) if base.startswith("https") else None
    except OSError as error:
        raise SettingsError(f"registry_ca_file {ca_file} cannot be read ({error.strerror or error}).") from None

    async def fetch(path: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True) as session,
                session.get(f"{base}{path}", ssl=tls if tls is not None else True) as answer,
            ):
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = str(error) or type(error).__name__
            raise SchemaUnavailable(f"the schema registry at {base} cannot be reached ({said}).") from None
        if answer.status != 200:
            raise SchemaUnavailable(
                f"the schema registry at {base} answers {answer.status} to {path}: "
                "check `registry`, and whether the producers use the same one."
            )
        return body

    return fetch


def _answer(body: bytes, name: str) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
        raise SchemaUnavailable(f"the registry's answer for {name} is no schema: check `registry`.")
    return found


def _unread(name: str, kind: str) -> Decode:
    def refuse(body: bytes) -> Any:
        raise InvalidEvent(
            "not_json", f"schema {name} of the registry is of type {kind}: only AVRO and JSON are read here."
        )

    return refuse


def _without_login(url: str) -> tuple[str, str | None]:
    scheme, _, rest = url.rstrip("/").partition("://")
    login, at, host = rest.rpartition("@")
    return f"{scheme}://{host}", login if at else None


def _quoted(text: str) -> str:
    return quote(text, safe="")
