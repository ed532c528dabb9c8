import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import software.amazon.event.ruler.Ruler;

/** Reads a JSON array of {rule, event} from its input; says for each, one a line, whether EventBridge would let the rule have the event. */
final class MatchEvents {
  public static void main(String[] args) throws Exception {
    for (JsonNode pair : new ObjectMapper().readTree(System.in)) {
      System.out.println(Ruler.matchesRule(pair.get("event").toString(), pair.get("rule").toString()));
    }
  }
}
