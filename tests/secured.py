"""A real broker with locks on its doors: certificates, logins and permissions of the tests' own."""

import base64
import shlex
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import trustme
from confluent_kafka import admin
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from app.local.kafka import KafkaServer
from app.local.kafka_settings import Listener
from app.local.ports import HOST, free_port
from app.local.redis import RedisServer

API: Any = admin  # its types are not exported
PASSWORD = "correct horse"
MODULES = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Files:
    """Certificates as files: the CA's, and a client's with its key; and those of a CA that nobody knows."""

    ca: str
    server: str
    client: str
    client_key: str
    stranger_ca: str


def make_files(folder: Path) -> Files:
    """Certificates for the loopback address, and for a client named `freshet`."""
    folder.mkdir(parents=True, exist_ok=True)
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "stranger.pem")
    server = ca.issue_cert(HOST, common_name="broker")
    client = ca.issue_cert("freshet.test", common_name="freshet")
    key = pkcs8(server.private_key_pem.bytes())
    (folder / "server.pem").write_bytes(key + b"".join(part.bytes() for part in server.cert_chain_pems))
    client.cert_chain_pems[0].write_to_path(folder / "client.pem")
    client.private_key_pem.write_to_path(folder / "client.key")
    names = ("ca.pem", "server.pem", "client.pem", "client.key", "stranger.pem")
    return Files(*(str(folder / name) for name in names))


def pkcs8(key: bytes) -> bytes:
    """A private key in the one form of PEM that Kafka reads."""
    return load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class SecuredKafka:
    """Kafka with permissions on, and a door for each way in.

    The plain door is for the tests alone: whoever comes that way may do everything. At the others nobody may do
    anything that was not granted.
    """

    def __init__(self, folder: Path) -> None:
        self.files = make_files(folder / "certificates")
        self.ports = {name: free_port() for name in ("SCRAM", "TOKENS", "CERTIFICATES", "INTHECLEAR")}
        tls = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.files.server,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.files.ca,
        }
        scram = f"{MODULES}.scram.ScramLoginModule required;"
        plain = f'{MODULES}.plain.PlainLoginModule required user_root="{PASSWORD}";'
        token = f'{MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
        logins = {
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            "plain.sasl.jaas.config": plain,
            "scram-sha-256.sasl.jaas.config": scram,
            "scram-sha-512.sasl.jaas.config": scram,
        }
        tokens = {"sasl.enabled.mechanisms": "OAUTHBEARER", "oauthbearer.sasl.jaas.config": token}
        self.kafka = KafkaServer(
            folder / "kafka",
            listeners=(
                Listener("SCRAM", "SASL_SSL", self.ports["SCRAM"], {**tls, **logins}),
                Listener("TOKENS", "SASL_SSL", self.ports["TOKENS"], {**tls, **tokens}),
                Listener("CERTIFICATES", "SSL", self.ports["CERTIFICATES"], {**tls, "ssl.client.auth": "required"}),
                Listener("INTHECLEAR", "SASL_PLAINTEXT", self.ports["INTHECLEAR"], logins),
            ),
            properties={
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS;User:root",
                "ssl.principal.mapping.rules": "RULE:.*CN=([^,]*).*/$1/",
            },
        )
        self.redis = RedisServer(folder / "redis", durable=False)

    def start(self) -> None:
        """Start broker and Redis, and make the users `root`, who may do everything, and `freshet`, who may not."""
        self.kafka.launch()
        self.redis.start()
        self.kafka.wait_ready()
        self.admin = API.AdminClient({"bootstrap.servers": self.kafka.broker, "log_level": 0})
        for user in ("root", "freshet", "reader"):
            self.add_user(user)

    def add_user(self, user: str) -> None:
        """Give a user the password."""
        for mechanism in (API.ScramMechanism.SCRAM_SHA_512, API.ScramMechanism.SCRAM_SHA_256):
            info = API.ScramCredentialInfo(mechanism, 4096)
            change = API.UserScramCredentialUpsertion(user, info, PASSWORD.encode())
            for done in self.admin.alter_user_scram_credentials([change]).values():
                done.result(10)

    def grant(self, bindings: Iterable[Any]) -> None:
        """Allow what the bindings say."""
        for done in self.admin.create_acls(list(bindings)).values():
            done.result(10)

    def revoke(self, bindings: Iterable[Any]) -> None:
        """Allow it no more."""
        filters = [
            API.AclBindingFilter(
                each.restype,
                each.name,
                each.resource_pattern_type,
                each.principal,
                each.host,
                each.operation,
                each.permission_type,
            )
            for each in bindings
        ]
        for done in self.admin.delete_acls(filters).values():
            done.result(10)

    def stop(self) -> None:
        """Stop both."""
        self.kafka.stop()
        self.redis.stop()

    def at(self, door: str) -> str:
        """The address of a door."""
        return f"{HOST}:{self.ports[door]}"

    def by_scram(self, user: str = "root", **changes: Any) -> dict[str, Any]:
        """Settings of one who logs in with a password, over TLS."""
        return {
            "broker": self.at("SCRAM"),
            "kafka_protocol": "SASL_SSL",
            "kafka_username": user,
            "kafka_password": PASSWORD,
            "kafka_ca_file": self.files.ca,
            **changes,
        }

    def by_certificate(self, **changes: Any) -> dict[str, Any]:
        """Settings of one whose certificate says who it is."""
        return {
            "broker": self.at("CERTIFICATES"),
            "kafka_protocol": "SSL",
            "kafka_ca_file": self.files.ca,
            "kafka_certificate_file": self.files.client,
            "kafka_key_file": self.files.client_key,
            **changes,
        }


KINDS = {
    "topic": API.ResourceType.TOPIC,
    "group": API.ResourceType.GROUP,
    "transactional-id": API.ResourceType.TRANSACTIONAL_ID,
}
ACL_OPERATIONS = {
    "Read": API.AclOperation.READ,
    "Write": API.AclOperation.WRITE,
    "Describe": API.AclOperation.DESCRIBE,
    "DescribeConfigs": API.AclOperation.DESCRIBE_CONFIGS,
}


def bindings_of(principal: str, lines: str = "", *, prefix: str = "") -> list[Any]:
    """What `kafka-acls.sh` lines allow one principal; with a prefix, everything on all that begins so."""
    found: list[Any] = []
    if prefix:
        return [
            binding(kind, prefix, API.ResourcePatternType.PREFIXED, principal, API.AclOperation.ALL)
            for kind in KINDS.values()
        ]
    for line in lines.splitlines():
        words = shlex.split(line, comments=True)
        if not words or words[0] != "kafka-acls.sh" or words[words.index("--allow-principal") + 1] != principal:
            continue
        (kind,) = [kind for kind in KINDS if f"--{kind}" in words]
        name = words[words.index(f"--{kind}") + 1]
        pattern = API.ResourcePatternType.PREFIXED if "prefixed" in words else API.ResourcePatternType.LITERAL
        for at, word in enumerate(words):
            if word == "--operation":
                found.append(binding(KINDS[kind], name, pattern, principal, ACL_OPERATIONS[words[at + 1]]))
    return found


def binding(kind: Any, name: str, pattern: Any, principal: str, operation: Any) -> Any:
    """One permission, from any host."""
    return API.AclBinding(kind, name, pattern, principal, "*", operation, API.AclPermissionType.ALLOW)


def topics_of(lines: str) -> list[Any]:
    """What `kafka-topics.sh` lines make."""
    found = []
    for line in lines.splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "kafka-topics.sh":
            config = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "--config")
            name, partitions = (words[words.index(flag) + 1] for flag in ("--topic", "--partitions"))
            found.append(API.NewTopic(name, num_partitions=int(partitions), config=config))
    return found


def token_for(user: str, seconds: int = 600) -> str:
    """A token without a signature, as the local broker takes it."""
    now = int(time.time())
    parts: tuple[dict[str, object], ...] = ({"alg": "none"}, {"sub": user, "iat": now, "exp": now + seconds})
    head, claims = (base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in parts)
    return f"{head}.{claims}."


class TokenServer:
    """Gives tokens of `root` to the client that has id `client` and the password."""

    def __init__(self) -> None:
        self.given = self.refused = 0
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> str:
        """Serve; returns the URL."""
        ours = self
        login = "Basic " + base64.b64encode(f"client:{PASSWORD}".encode()).decode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                wanted = {"grant_type": ["client_credentials"], "scope": ["kafka"]}
                right = self.headers["Authorization"] == login and form == wanted
                ours.given, ours.refused = ours.given + right, ours.refused + (not right)
                token = {"access_token": token_for("root"), "expires_in": 600, "token_type": "Bearer"}
                body = orjson.dumps(token if right else {"error": "invalid_client"})
                self.send_response(200 if right else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://{HOST}:{self._server.server_port}/token"

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
