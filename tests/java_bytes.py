"""What Java's own serializers write, recorded from connect-json 4.3.0, debezium-core 3.4.0 and spring-kafka 4.0.0."""

CONNECT = (
    b'{"schema":{"type":"struct","fields":[{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.da'
    b'ta.Decimal","version":1,"parameters":{"scale":"0"},"field":"user_id"},{"type":"string","optional":false,"'
    b'field":"item_id"},{"type":"string","optional":false,"field":"event_type"},{"type":"int64","optional":fals'
    b'e,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"at"},{"type":"bytes","optional":f'
    b'alse,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"stars'
    b'"}],"optional":false,"name":"shop.Click"},"payload":{"user_id":"TQ==","item_id":"lamp","event_type":"rati'
    b'ng","at":1700000000123,"stars":"AcI="}}'
)
"""A struct with a decimal id, a decimal rating and a Timestamp, by JsonConverter with schemas.enable."""

CONNECT_KEY = b'"u1"'
"""The key u1, by JsonConverter without its schema."""

CHANGE = (
    b'{"schema":{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int64","optional":false,"field":'
    b'"user_id"},{"type":"string","optional":false,"field":"item_id"},{"type":"string","optional":false,"field"'
    b':"event_type"},{"type":"int64","optional":false,"name":"io.debezium.time.Timestamp","version":1,"field":"'
    b'ms"},{"type":"int64","optional":false,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"us"},'
    b'{"type":"int64","optional":false,"name":"io.debezium.time.NanoTimestamp","version":1,"field":"ns"},{"type'
    b'":"string","optional":false,"name":"io.debezium.time.ZonedTimestamp","version":1,"field":"zoned"},{"type"'
    b':"int32","optional":false,"name":"io.debezium.time.Date","version":1,"field":"day"}],"optional":true,"nam'
    b'e":"shop.public.clicks.Value","field":"before"},{"type":"struct","fields":[{"type":"int64","optional":fal'
    b'se,"field":"user_id"},{"type":"string","optional":false,"field":"item_id"},{"type":"string","optional":fa'
    b'lse,"field":"event_type"},{"type":"int64","optional":false,"name":"io.debezium.time.Timestamp","version":'
    b'1,"field":"ms"},{"type":"int64","optional":false,"name":"io.debezium.time.MicroTimestamp","version":1,"fi'
    b'eld":"us"},{"type":"int64","optional":false,"name":"io.debezium.time.NanoTimestamp","version":1,"field":"'
    b'ns"},{"type":"string","optional":false,"name":"io.debezium.time.ZonedTimestamp","version":1,"field":"zone'
    b'd"},{"type":"int32","optional":false,"name":"io.debezium.time.Date","version":1,"field":"day"}],"optional'
    b'":true,"name":"shop.public.clicks.Value","field":"after"},{"type":"struct","fields":[{"type":"string","op'
    b'tional":false,"field":"table"},{"type":"int64","optional":false,"field":"ts_ms"}],"optional":false,"name"'
    b':"io.debezium.connector.postgresql.Source","field":"source"},{"type":"string","optional":false,"field":"o'
    b'p"},{"type":"int64","optional":true,"field":"ts_ms"},{"type":"int64","optional":true,"field":"ts_us"},{"t'
    b'ype":"int64","optional":true,"field":"ts_ns"},{"type":"struct","fields":[{"type":"string","optional":fals'
    b'e,"field":"id"},{"type":"int64","optional":false,"field":"total_order"},{"type":"int64","optional":false,'
    b'"field":"data_collection_order"}],"optional":true,"name":"event.block","version":1,"field":"transaction"}'
    b'],"optional":false,"name":"shop.public.clicks.Envelope","version":2},"payload":{"before":null,"after":{"u'
    b'ser_id":77,"item_id":"lamp","event_type":"view","ms":1700000000123,"us":1700000000123456,"ns":17000000001'
    b'23456789,"zoned":"2023-11-14T22:13:20.123Z","day":19675},"source":{"table":"clicks","ts_ms":1700000000500'
    b'},"op":"c","ts_ms":1700000001000,"ts_us":1700000001000000,"ts_ns":1700000001000000000,"transaction":null}'
    b"}"
)
"""A row inserted, its time in five columns, by Debezium's envelope and JsonConverter with schemas.enable."""

DELETED = (
    b'{"before":{"user_id":77,"item_id":"lamp","event_type":"view","ms":1700000000123,"us":1700000000123456,"ns'
    b'":1700000000123456789,"zoned":"2023-11-14T22:13:20.123Z","day":19675},"after":null,"source":{"table":"cli'
    b'cks","ts_ms":1700000000500},"op":"d","ts_ms":1700000001000,"ts_us":1700000001000000,"ts_ns":1700000001000'
    b'000000,"transaction":null}'
)
"""The same row deleted, without its schema."""

SPRING_KEY = b'"u1"'
"""The key u1, by Spring's JsonSerializer."""

SPRING = b'{"at":[2023,11,14,22,13,20],"user_id":77,"item_id":"lamp","inst":1700000000.123000000}'
"""A map with a LocalDateTime and an Instant, by Spring's JsonSerializer."""

SPRING_HEADERS = [("__TypeId__", b"java.util.HashMap"), ("__ContentTypeId__", b"java.lang.Object")]
"""What it puts beside."""
