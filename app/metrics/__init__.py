"""What a worker measures, as Prometheus and OpenMetrics read it, and whether it is ready."""
