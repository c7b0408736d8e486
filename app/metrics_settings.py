"""The settings that say where a worker's metrics are read.

None is called `metrics_port`: beside a service `freshet-metrics`, Kubernetes sets FRESHET_METRICS_PORT in every pod.
"""

from pydantic import Field
from pydantic_settings import BaseSettings


class MetricsSettings(BaseSettings):
    """Where `/metrics`, `/healthz` and `/readyz` are served, and when a worker counts as ready."""

    metrics_listen_port: int = Field(
        0, ge=0, le=65_535, description="port of a worker's /metrics, /healthz and /readyz; 0: not served"
    )
    metrics_listen_host: str = Field(
        "127.0.0.1", description="address that they are bound to; they ask for no password, e.g. 0.0.0.0 in a container"
    )
    metrics_ready_lag: int = Field(
        1000, ge=0, description="/readyz says ready when at most so many records of a worker's partitions wait"
    )
