import com.jayway.jsonpath.Configuration;
import com.jayway.jsonpath.InvalidJsonException;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.PathNotFoundException;
import java.io.StringReader;
import java.io.StringWriter;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.minidev.json.JSONArray;
import net.minidev.json.JSONObject;
import net.minidev.json.JSONStyle;
import net.minidev.json.JSONValue;
import org.apache.commons.lang.StringEscapeUtils;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.event.InvalidReferenceEventHandler;
import org.apache.velocity.context.Context;
import org.apache.velocity.context.InternalContextAdapterImpl;
import org.apache.velocity.runtime.RuntimeInstance;
import org.apache.velocity.runtime.parser.node.SimpleNode;
import org.apache.velocity.util.introspection.Info;

/**
 * Apache Velocity 1.7 with Jayway's JSONPath behind $input: CPU time of one render.
 *
 * <p>java Bench SECONDS CASE.json ... prints a JSON object a line: case, mode, ns, output. A template is
 * parsed once, its paths are compiled once; each render has a context of its own, as each request would.
 * SECONDS is what one figure takes, half of it to warm the compiler up.
 */
public final class Bench {
    private static final Configuration CONFIGURATION = Configuration.defaultConfiguration();
    private static final Map<String, JsonPath> PATHS = new HashMap<>();
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int SLICES = 7;
    /** Uses every output, so that no render is optimised away. */
    private static long sink;

    /** API Gateway: what is undefined is the empty string. */
    public static final class Empty implements InvalidReferenceEventHandler {
        public Object invalidGetMethod(Context c, String ref, Object o, String property, Info i) { return ""; }
        public boolean invalidSetMethod(Context c, String left, String right, Info i) { return false; }
        public Object invalidMethod(Context c, String ref, Object o, String method, Info i) { return ""; }
    }

    public static final class Input {
        private final String body;
        private final Map<String, Object> params;
        private Object document;

        Input(String body, Map<String, Object> params, Object document) {
            this.body = body;
            this.params = params;
            this.document = document;
        }

        public String getBody() { return body; }
        public Map<String, Object> params() { return params; }

        public Object params(String name) {
            for (Object map : params.values()) {
                Object value = ((Map<?, ?>) map).get(name);
                if (value != null) return value;
            }
            return "";
        }

        public Object path(String path) {
            try {
                if (document == null) document = CONFIGURATION.jsonProvider().parse(body);
                return PATHS.computeIfAbsent(path, JsonPath::compile).read(document, CONFIGURATION);
            } catch (PathNotFoundException | InvalidJsonException e) {
                return null;
            }
        }

        @SuppressWarnings("unchecked")
        public String json(String path) {
            Object value = path(path);
            if (value == null) return "\"\"";
            if (value instanceof Map) return JSONObject.toJSONString((Map<String, ?>) value, JSONStyle.LT_COMPRESS);
            if (value instanceof List) return JSONArray.toJSONString((List<?>) value, JSONStyle.LT_COMPRESS);
            return JSONValue.toJSONString(value, JSONStyle.LT_COMPRESS);
        }
    }

    public static final class Util {
        public String escapeJavaScript(Object text) {
            return text == null ? null : StringEscapeUtils.escapeJavaScript(text.toString());
        }
    }

    private interface Render { String run() throws Exception; }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        double seconds = Double.parseDouble(arguments[0]);
        RuntimeInstance velocity = new RuntimeInstance();
        velocity.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
        velocity.setProperty("runtime.log.invalid.references", "false");
        velocity.setProperty("velocimacro.library", "");
        velocity.setProperty("eventhandler.invalidreferences.class", Empty.class.getName());
        velocity.init();
        for (String file : Arrays.asList(arguments).subList(1, arguments.length)) {
            // Jayway's provider keeps the order of keys.
            Map<String, Object> test =
                    (Map<String, Object>) CONFIGURATION.jsonProvider().parse(Files.readString(Paths.get(file)));
            Map<String, Object> aws = (Map<String, Object>) test.get("aws");
            String id = (String) test.get("id");
            String body = (String) aws.get("body");
            SimpleNode template = velocity.parse(new StringReader((String) test.get("template")), id);
            template.init(new InternalContextAdapterImpl(new VelocityContext()), velocity);
            Object document = CONFIGURATION.jsonProvider().parse(body);
            measure(id, "parsed", seconds, () -> render(template, aws, body, document));
            measure(id, "parsing", seconds, () -> render(template, aws, body, null));
        }
        if (sink == 42) System.err.println(sink);
    }

    @SuppressWarnings("unchecked")
    private static String render(SimpleNode template, Map<String, Object> aws, String body, Object document)
            throws Exception {
        Map<String, Object> given = (Map<String, Object>) aws.get("params");
        Map<String, Object> params = new LinkedHashMap<>();
        for (String place : new String[] {"path", "querystring", "header"}) params.put(place, given.get(place));
        Map<String, Object> variables = new HashMap<>();
        variables.put("input", new Input(body, params, document));
        variables.put("util", new Util());
        variables.put("context", aws.get("context"));
        variables.put("stageVariables", aws.get("stageVariables"));
        InternalContextAdapterImpl context = new InternalContextAdapterImpl(new VelocityContext(variables));
        context.pushCurrentTemplateName("t");
        StringWriter out = new StringWriter(1024);
        template.render(context, out);
        context.popCurrentTemplateName();
        return out.toString();
    }

    private static void measure(String id, String mode, double seconds, Render render) throws Exception {
        time(render, seconds / 2);
        double[] slices = new double[SLICES];
        for (int i = 0; i < SLICES; i++) slices[i] = time(render, seconds / 2 / SLICES);
        Arrays.sort(slices);
        JSONObject line = new JSONObject();
        line.put("case", id);
        line.put("mode", mode);
        line.put("ns", slices[SLICES / 2]);
        line.put("output", render.run());
        System.out.println(line.toJSONString());
    }

    /** CPU ns per render of this thread and the garbage collector, so that other load counts little. */
    private static double time(Render render, double seconds) throws Exception {
        long limit = (long) (seconds * 1e9);
        long collected = collectorNs();
        long begin = THREADS.getCurrentThreadCpuTime();
        long count = 0;
        do {
            for (int i = 0; i < 50; i++) sink += render.run().length();
            count += 50;
        } while (THREADS.getCurrentThreadCpuTime() - begin < limit);
        return (THREADS.getCurrentThreadCpuTime() - begin + collectorNs() - collected) / (double) count;
    }

    private static long collectorNs() {
        long ms = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            ms += Math.max(0, collector.getCollectionTime());
        }
        return ms * 1_000_000;
    }
}
