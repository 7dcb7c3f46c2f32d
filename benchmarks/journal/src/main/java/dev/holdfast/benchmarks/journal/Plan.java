package dev.holdfast.benchmarks.journal;

/**
 * How long and how much to measure.
 *
 * @param rounds of each contestant
 * @param warmUps rounds of each before those that count
 * @param seconds of a round of writing
 * @param rampSeconds before each of them
 * @param loops closed loops, one event in hand each
 * @param owners for whom they write
 * @param earlierOwners with ten events each in the store before
 * @param connections of the bare client on PostgreSQL
 * @param recovered users that are recovered
 * @param crowd users that recover while others are asked for
 * @param window recoveries asked for at a time
 * @param crowdWindow the same for the crowd
 */
record Plan(
    int rounds,
    int warmUps,
    int seconds,
    int rampSeconds,
    int loops,
    int owners,
    int earlierOwners,
    int connections,
    int recovered,
    int crowd,
    int window,
    int crowdWindow) {

  static final int EARLIER_EVENTS = 10;

  Plan withOwners(int others) {
    return new Plan(
        rounds,
        warmUps,
        seconds,
        rampSeconds,
        loops,
        others,
        earlierOwners,
        connections,
        recovered,
        crowd,
        window,
        crowdWindow);
  }
}
