/**
 * Measures Holdfast beside what a team would pick instead, over HTTP. Start at {@link
 * dev.holdfast.benchmarks.http.Main}; {@link dev.holdfast.benchmarks.http.Stage} starts the servers
 * and their stores, and the load is Holdfast's own {@code ShopLoad}, the same for all.
 */
@NullMarked
package dev.holdfast.benchmarks.http;

import org.jspecify.annotations.NullMarked;
