/**
 * JSON values as plain immutable data, for what callers store in sessions and cart lines.
 *
 * <p>Start at {@link dev.holdfast.json.Json}: the value, its exact text and size, and merge patch.
 * {@link dev.holdfast.json.JsonText} reads and writes values through a streaming parser with strict
 * settings. This package lies below the domain and knows nothing of it.
 */
@NullMarked
package dev.holdfast.json;

import org.jspecify.annotations.NullMarked;
