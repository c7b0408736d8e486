// Writes rows as Kafka Connect's JsonConverter and Debezium's envelope do: a row as JSON a line in, bytes in base64 out.
// Run by record.py with the jars of pom.xml; a line "null" is a record without a value.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.debezium.data.Envelope;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.Map;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.json.JsonConverter;

public class Rows {
    static final Schema RATING = SchemaBuilder.struct().name("shop.Rating").optional()
        .field("user_id", Decimal.builder(0).optional().build())
        .field("item_id", Schema.OPTIONAL_STRING_SCHEMA)
        .field("event_type", Schema.OPTIONAL_STRING_SCHEMA)
        .field("at", Timestamp.builder().optional().build())
        .field("stars", Decimal.builder(2).optional().build())
        .build();
    static final Schema CLICK = SchemaBuilder.struct().name("shop.public.clicks.Value").optional()
        .field("user_id", Schema.OPTIONAL_INT64_SCHEMA)
        .field("item_id", Schema.OPTIONAL_STRING_SCHEMA)
        .field("event_type", Schema.OPTIONAL_STRING_SCHEMA)
        .field("us", io.debezium.time.MicroTimestamp.builder().optional().build())
        .build();
    static final Schema SOURCE = SchemaBuilder.struct().name("io.debezium.connector.postgresql.Source")
        .field("table", Schema.STRING_SCHEMA)
        .field("ts_ms", Schema.INT64_SCHEMA)
        .build();
    static final Envelope CHANGE = Envelope.defineSchema().withName("shop.public.clicks.Envelope")
        .withRecord(CLICK).withSource(SOURCE).build();

    public static void main(String[] arguments) throws Exception {
        JsonConverter[] converters = {new JsonConverter(), new JsonConverter()};
        converters[0].configure(Map.of("schemas.enable", "false"), false);
        converters[1].configure(Map.of("schemas.enable", "true"), false);
        ObjectMapper json = new ObjectMapper();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line; (line = lines.readLine()) != null; ) {
            JsonNode row = json.readTree(line);
            JsonConverter converter = converters[row.path("schemas").asBoolean() ? 1 : 0];
            byte[] value = null;
            if (row.path("op").isTextual()) {
                Struct change = changed(row);
                value = converter.fromConnectData("clicks", change.schema(), change);
            } else if (!row.isNull()) {
                value = converter.fromConnectData("ratings", RATING, rating(row.get("row")));
            }
            System.out.println(value == null ? "null" : Base64.getEncoder().encodeToString(value));
        }
    }

    static Struct changed(JsonNode row) {
        Struct click = row.hasNonNull("row") ? click(row.get("row")) : null;
        long at = row.get("ts_ms").asLong();
        Struct source = new Struct(SOURCE).put("table", "clicks").put("ts_ms", at);
        Instant now = Instant.ofEpochMilli(at + 400);
        return switch (row.get("op").asText()) {
            case "c" -> CHANGE.create(click, source, now);
            case "r" -> CHANGE.read(click, source, now);
            case "u" -> CHANGE.update(click, click, source, now);
            case "d" -> CHANGE.delete(click, source, now);
            default -> CHANGE.truncate(source, now);
        };
    }

    static Struct click(JsonNode row) {
        Struct click = new Struct(CLICK);
        for (String name : new String[] {"user_id", "us"}) {
            click.put(name, row.hasNonNull(name) ? row.get(name).asLong() : null);
        }
        return click.put("item_id", text(row, "item_id")).put("event_type", text(row, "event_type"));
    }

    static Struct rating(JsonNode row) {
        if (row.isNull()) {
            return null;
        }
        return new Struct(RATING)
            .put("user_id", row.hasNonNull("user_id") ? new BigDecimal(row.get("user_id").asText()) : null)
            .put("item_id", text(row, "item_id"))
            .put("event_type", text(row, "event_type"))
            .put("at", row.hasNonNull("at") ? new Date(row.get("at").asLong()) : null)
            .put("stars", row.hasNonNull("stars") ? new BigDecimal(row.get("stars").asText()).setScale(2) : null);
    }

    static String text(JsonNode row, String name) {
        return row.hasNonNull(name) ? row.get(name).asText() : null;
    }
}
