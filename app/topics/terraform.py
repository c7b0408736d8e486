"""Topics and permissions as Terraform resources of the provider Mongey/kafka."""

import json
import re
from collections.abc import Iterable, Iterator

from app.topics.grants import Grant, Role
from tables.names import TopicSpec

KINDS = {"topic": "Topic", "group": "Group", "transactional-id": "TransactionalID"}
USUAL_REPLICAS = 3


def terraform(specs: Iterable[TopicSpec], roles: Iterable[Role], replication_factor: int) -> Iterator[str]:
    """Lines of a file: a resource for each topic, and one for each operation that is allowed."""
    yield from (
        "terraform {",
        "  required_providers {",
        '    kafka = { source = "Mongey/kafka" }',
        "  }",
        "}",
        "",
        'variable "replication_factor" {',
        "  type    = number",
        f"  default = {replication_factor or USUAL_REPLICAS}",
        "}",
    )
    for spec in specs:
        yield from ("", f'resource "kafka_topic" {quoted(label(spec.name))} {{')
        yield f"  name               = {quoted(spec.name)}"
        yield "  replication_factor = var.replication_factor"
        yield f"  partitions         = {spec.partitions}"
        yield "  config = {"
        yield from (f"    {quoted(key)} = {quoted(value)}" for key, value in spec.config.items())
        yield from ("  }", "}")
    for role in roles:
        yield from ("", f"# {role.user}: {role.what}")
        for grant in role.grants:
            for operation in grant.operations:
                yield from acl(role.user, grant, operation)


def acl(user: str, grant: Grant, operation: str) -> Iterator[str]:
    """One allowed operation."""
    yield f'resource "kafka_acl" {quoted(label(f"{user}_{operation}_{grant.kind}_{grant.name}"))} {{'
    yield f"  resource_name                = {quoted(grant.name)}"
    yield f"  resource_type                = {quoted(KINDS[grant.kind])}"
    yield f"  resource_pattern_type_filter = {quoted('Prefixed' if grant.prefixed else 'Literal')}"
    yield f"  acl_principal                = {quoted(f'User:{user}')}"
    yield '  acl_host                     = "*"'
    yield f"  acl_operation                = {quoted(operation)}"
    yield '  acl_permission_type          = "Allow"'
    yield "}"


def quoted(text: str) -> str:
    """A string literal, in which nothing is a template."""
    return json.dumps(text).replace("${", "$${").replace("%{", "%%{")


def label(name: str) -> str:
    """A name for a resource: letters, digits, underscores; names that differ stay different.

    Examples
    --------
    >>> label("shop.user_events"), label("shop-user_events")
    ('shop__2e_user_events', 'shop__2d_user_events')
    """
    found = re.sub(r"[^A-Za-z0-9_]", lambda each: f"__{ord(each[0]):x}_", name)
    return found if re.match(r"[A-Za-z_]", found) else f"_{found}"
