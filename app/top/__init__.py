"""A running worker at a glance: what Kafka and the workers' metrics say, compared with a moment before."""
