import java.io.PrintWriter;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs one query of nexmark.sql as a stream, in this process: Nexmark SQL FOLDER QUERY [RESULT].
 *
 * <p>FOLDER has the events, one file for each thread that reads. The rows go nowhere, which costs least; or into RESULT, when
 * they are to be compared: what is left of them at the end, as lines of JSON.
 */
public final class Nexmark {
    private static final String PARALLELISM = "2";

    public static void main(String[] args) throws Exception {
        String folder = Path.of(args[1]).toUri().toString();
        Map<String, String> queries = parts(Files.readString(Path.of(args[0])));
        Configuration settings = new Configuration();
        settings.setString("parallelism.default", PARALLELISM);
        settings.setString("pipeline.object-reuse", "true");
        settings.setString("table.local-time-zone", "UTC");
        StreamTableEnvironment tables =
                StreamTableEnvironment.create(StreamExecutionEnvironment.getExecutionEnvironment(settings));
        for (String statement : queries.get("tables").split(";")) {
            if (!statement.isBlank()) {
                tables.executeSql(statement.replace("FOLDER", folder));
            }
        }
        Table rows = tables.sqlQuery(queries.get(args[2]));
        if (args.length > 3) {
            keep(tables, rows, args[3]);
        } else {
            Schema schema = Schema.newBuilder().fromRowDataType(rows.getResolvedSchema().toPhysicalRowDataType()).build();
            rows.executeInsert(TableDescriptor.forConnector("blackhole").schema(schema).build()).await();
        }
    }

    /** The parts of a file, by the names in the lines "-- name" before them. */
    private static Map<String, String> parts(String text) {
        Map<String, String> parts = new LinkedHashMap<>();
        for (String part : text.split("(?m)^-- ")) {
            String[] nameAndRest = part.split("\n", 2);
            if (nameAndRest.length == 2) {
                parts.put(nameAndRest[0].strip(), nameAndRest[1].strip().replaceAll(";$", ""));
            }
        }
        return parts;
    }

    /** A changing result is what was added and not taken back. */
    private static void keep(StreamTableEnvironment tables, Table rows, String result) throws Exception {
        Map<String, Integer> times = new LinkedHashMap<>();
        try (CloseableIterator<Row> changes = tables.toChangelogStream(rows).executeAndCollect()) {
            while (changes.hasNext()) {
                Row row = changes.next();
                boolean isAdded = row.getKind() == RowKind.INSERT || row.getKind() == RowKind.UPDATE_AFTER;
                times.merge(line(row), isAdded ? 1 : -1, Integer::sum);
            }
        }
        try (PrintWriter out = new PrintWriter(result, StandardCharsets.UTF_8)) {
            times.forEach((line, count) -> {
                for (int at = 0; at < count; at++) {
                    out.println(line);
                }
            });
        }
    }

    private static String line(Row row) {
        StringJoiner members = new StringJoiner(",", "{", "}");
        for (String name : row.getFieldNames(true)) {
            members.add('"' + name + "\":" + json(row.getField(name)));
        }
        return members.toString();
    }

    private static String json(Object value) {
        if (value instanceof Instant time) {
            return '"' + time.toString() + '"';
        }
        if (value instanceof LocalDateTime time) {
            return '"' + time.toInstant(ZoneOffset.UTC).toString() + '"';
        }
        if (value instanceof BigDecimal number) {
            return number.toPlainString();
        }
        if (value instanceof String text) {
            return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        }
        return String.valueOf(value);
    }
}
