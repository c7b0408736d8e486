"""The local stack: a real Kafka broker and a real Redis on this computer, without Docker, root or a system Java."""
