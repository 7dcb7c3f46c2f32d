/** What TLS takes, for callers of the API and between nodes: keys and certificates out of files. */
@NullMarked
package dev.holdfast.tls;

import org.jspecify.annotations.NullMarked;
