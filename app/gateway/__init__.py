"""The HTTP gateway: events in, lists out, for those who speak neither Kafka's nor Redis's protocol.

`create.create_app` puts it together, `serve` listens. A request passes `around` (limits, key, log), then its route in
`routes_*`; Kafka is behind `sender`, Redis behind `view`.
"""
