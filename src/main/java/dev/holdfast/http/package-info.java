/**
 * The HTTP API: routes, wire JSON, problems, tokens and keys, and the limits that keep strangers
 * from harming the server.
 *
 * <p>{@code openapi.yaml} in the resources is the contract; the tests hold this package to it.
 * Start at {@link dev.holdfast.http.ApiServer}, which puts the parts together and turns every
 * request into a {@code Call}; {@code Routes} finds its {@code Route}, whose handler (in {@code
 * SessionRoutes}, {@code UserRoutes}, {@code CartRoutes}, {@code AdminRoutes}, {@code
 * OperationsRoutes}) returns a {@code Response} or throws {@code Rejected}. {@code Problems} maps
 * every refusal to a status. Users are reached through {@link dev.holdfast.cluster.Users} alone.
 */
@NullMarked
package dev.holdfast.http;

import org.jspecify.annotations.NullMarked;
