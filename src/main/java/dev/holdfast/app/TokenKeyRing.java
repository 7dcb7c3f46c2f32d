package dev.holdfast.app;

import dev.holdfast.cluster.Node;
import dev.holdfast.http.SessionTokens;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys for session tokens, which may change while the node runs. A new one is accepted at once
 * and signs once every node has it: nodes see the change of a file at different times, and a token
 * that one of them gives out must be good at all.
 */
final class TokenKeyRing {

  private static final Logger LOG = LoggerFactory.getLogger(TokenKeyRing.class);

  /** The cluster, as far as it matters here. */
  interface Others {
    /** Tells them of the keys of this node, the one first that signs; false if that cannot be. */
    boolean announce(List<String> names);

    /** Whether each of them has this key. */
    boolean know(String name);
  }

  private final SessionTokens tokens;
  private final Others others;
  private List<SessionTokens.Key> wanted;
  private SessionTokens.Key signing;
  private boolean told = true;

  /**
   * @param keys the one first that should sign
   * @param signing the name of the one that does until then
   */
  TokenKeyRing(List<SessionTokens.Key> keys, String signing, Others others) {
    this.others = others;
    this.wanted = List.copyOf(keys);
    this.signing =
        keys.stream().filter(key -> key.mark().equals(signing)).findFirst().orElse(keys.getFirst());
    this.tokens = new SessionTokens(ordered());
  }

  static TokenKeyRing of(List<SessionTokens.Key> keys, Node node) {
    return new TokenKeyRing(
        keys,
        node.tokenKeys().getFirst(),
        new Others() {
          @Override
          public boolean announce(List<String> names) {
            return node.announceTokenKeys(names);
          }

          @Override
          public boolean know(String name) {
            return node.isKnownToAll(name);
          }
        });
  }

  SessionTokens tokens() {
    return tokens;
  }

  /** {@return the keys that are accepted} */
  synchronized List<SessionTokens.Key> keys() {
    return wanted;
  }

  /**
   * From now on these keys are accepted, and no others. The one that signs goes on if it is among
   * them; if it was taken away, tokens of it are not wanted any more, and the first one signs.
   */
  synchronized void bring(List<SessionTokens.Key> keys) {
    if (keys.equals(wanted)) {
      return;
    }
    wanted = List.copyOf(keys);
    signing = keys.contains(signing) ? signing : keys.getFirst();
    tokens.use(ordered());
    told = false;
    settle();
  }

  /** Has the first key sign if it can by now. To be called now and then. */
  synchronized void settle() {
    told = told || others.announce(names());
    SessionTokens.Key first = wanted.getFirst();
    if (told && !first.equals(signing) && others.know(first.mark())) {
      signing = first;
      tokens.use(ordered());
      told = others.announce(names());
      LOG.info("session tokens are signed with the key {} from now on", first.id());
    }
  }

  private List<SessionTokens.Key> ordered() {
    var ordered = new ArrayList<>(List.of(signing));
    wanted.stream().filter(key -> !key.equals(signing)).forEach(ordered::add);
    return ordered;
  }

  private List<String> names() {
    return ordered().stream().map(SessionTokens.Key::mark).toList();
  }
}
