package dev.holdfast.http;

/**
 * Ends the handling of a request with a problem. It is how straight-line handlers leave early, not
 * a fault: it has no stack trace and is never logged.
 */
final class Rejected extends RuntimeException {

  private final transient Problem problem;

  Rejected(Problem problem) {
    super(problem.type().title(), null, false, false);
    this.problem = problem;
  }

  Rejected(ProblemType type, String detail) {
    this(Problem.of(type, detail));
  }

  Problem problem() {
    return problem;
  }
}
