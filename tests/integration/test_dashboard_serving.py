"""How the dashboard listens: over TLS, without Kafka and Redis, and until it is told to stop."""

import signal
import ssl
from pathlib import Path

import httpx2
import pytest
import trustme

from app.local.ports import free_port
from app.settings import Settings
from app.worker.process import WorkerProcess, environment
from models.errors import ServiceError
from tests.command import freshet
from tests.dashboard import PATIENCE_S, TOKEN


def started(settings: Settings, folder: Path) -> WorkerProcess:
    """A dashboard that listens."""
    process = WorkerProcess(environment(settings), folder / "dashboard.log", arguments=("dashboard", "--json"))
    process.wait_for(lambda one: bool(one.of_kind("listening")), PATIENCE_S, "listening")
    return process


def nowhere(**changes: object) -> Settings:
    """Settings with a Kafka, a Redis and a worker that are not there."""
    away = {
        "broker": f"127.0.0.1:{free_port()}",
        "redis_url": f"redis://127.0.0.1:{free_port()}/0",
        "dashboard_workers": (f"http://127.0.0.1:{free_port()}/metrics",),
        "dashboard_token": TOKEN,
        "dashboard_listen_port": free_port(),
    }
    return Settings(**{**away, **changes})  # type: ignore[arg-type]  # fields of several types


def test_without_anything_to_show_it_says_what_is_missing(tmp_path: Path) -> None:
    """Kafka, Redis and workers by name; a page that is open does not keep it from ending, with exit code 0."""
    settings = nowhere()
    process = started(settings, tmp_path)
    try:
        with httpx2.Client(base_url=process.of_kind("listening")[0]["url"], timeout=PATIENCE_S) as http:
            assert http.get("/healthz").status_code == 200
            http.get(f"/login?token={TOKEN}")
            with http.stream("GET", "/live?page=/") as changes:
                lines = changes.iter_lines()
                seen = ""
                while not all(name in seen for name in ("KafkaAway", "RedisAway", "NoWorker", settings.broker)):
                    seen += next(lines)
                process.signal(signal.SIGTERM)
                for _ in lines:
                    pass
        assert process.stop() == 0, process.log_path.read_text()
    finally:
        process.kill()


def test_tls(tmp_path: Path) -> None:
    """By the certificate of the settings; its cookie is for HTTPS alone."""
    authority = trustme.CA()
    paths = {"dashboard_tls_cert": tmp_path / "cert.pem", "dashboard_tls_key": tmp_path / "key.pem"}
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(paths["dashboard_tls_cert"])
    issued.private_key_pem.write_to_path(paths["dashboard_tls_key"])
    process = started(nowhere(**{name: str(path) for name, path in paths.items()}), tmp_path)
    try:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        url = process.of_kind("listening")[0]["opened_by"]
        assert url.startswith("https://127.0.0.1:")
        answer = httpx2.get(url, verify=context, timeout=PATIENCE_S)
        assert answer.status_code == 303 and "Secure" in answer.headers["set-cookie"]
    finally:
        process.kill()


def test_what_keeps_it_from_listening_is_told(tmp_path: Path) -> None:
    """A port that is taken, a certificate that is not there: one line with the setting, exit code 1 or 2."""
    settings = nowhere()
    process = started(settings, tmp_path)
    try:
        with pytest.raises(ServiceError, match=r"ended with code 1(.|\n)*FRESHET_DASHBOARD_LISTEN_PORT"):
            started(settings, tmp_path)
    finally:
        process.kill()
    missing = freshet("dashboard", settings=nowhere(dashboard_tls_cert=str(tmp_path / "none.pem")))
    assert missing.code == 2 and "FRESHET_DASHBOARD_TLS_CERT" in missing.err
    wrong = freshet("dashboard", "--worker", "worker:9108", settings=nowhere())
    assert wrong.code == 2 and "http://127.0.0.1:9108/metrics" in wrong.err
