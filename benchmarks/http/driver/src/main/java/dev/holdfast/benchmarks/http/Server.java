package dev.holdfast.benchmarks.http;

/** What takes the requests. */
enum Server {
  HOLDFAST("holdfast", "Holdfast, PostgreSQL"),
  SPRING_ALWAYS("spring-always", "Spring Session, Redis, AOF always"),
  SPRING_EVERYSEC("spring-everysec", "Spring Session, Redis, AOF every second"),
  THIN_ALWAYS("thin-always", "thin service, Redis, AOF always"),
  THIN_EVERYSEC("thin-everysec", "thin service, Redis, AOF every second"),
  CONSTANT("constant", "bare web server, constant body"),
  ONE("one", "one node"),
  THREE("three", "three nodes, two thirds of the requests at the wrong one");

  private final String id;
  private final String title;

  Server(String id, String title) {
    this.id = id;
    this.title = title;
  }

  String id() {
    return id;
  }

  String title() {
    return title;
  }

  /** Whether its changes are kept by somebody. */
  boolean stores() {
    return this != CONSTANT;
  }
}
