/**
 * Holds the code to the shape that CONTRIBUTING.md describes; start at {@link ArchitectureTest}.
 */
@NullMarked
package dev.holdfast.architecture;

import org.jspecify.annotations.NullMarked;
