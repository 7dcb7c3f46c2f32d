package dev.holdfast.app;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The files in which lists of keys stand, as {@code HOLDFAST_API_KEYS_FILE} and its like name them;
 * these lists are read again while the node runs. Null for a list that was given in another way.
 */
public record KeyFiles(
    @Nullable Path apiKeys, @Nullable Path adminKeys, @Nullable Path tokenKeys) {}
