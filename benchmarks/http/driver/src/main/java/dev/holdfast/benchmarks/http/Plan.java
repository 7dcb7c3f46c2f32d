package dev.holdfast.benchmarks.http;

import java.time.Duration;

/**
 * How to measure.
 *
 * @param rounds of each part
 * @param turn how long each server is asked for changes, and then for reads
 * @param warmUp of each server, both kinds of requests together
 * @param connections of a closed loop
 * @param users that each connection asks for
 * @param heapUsers opened to see what an idle one takes
 * @param recovered users who come back from the journal
 */
record Plan(
    int rounds,
    Duration turn,
    Duration warmUp,
    int connections,
    int users,
    int heapUsers,
    int recovered) {}
