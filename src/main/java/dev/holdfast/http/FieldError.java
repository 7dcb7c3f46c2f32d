package dev.holdfast.http;

/**
 * What is wrong with one field of a request.
 *
 * @param field its path in the body, as in {@code unitPrice.amount}, or the name of a path
 *     parameter
 * @param problem what it must be, or that it is not known
 */
record FieldError(String field, String problem) {}
