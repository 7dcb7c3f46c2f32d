/** The command line, run as its user would run it, on journals of its own. */
@NullMarked
package dev.holdfast.command;

import org.jspecify.annotations.NullMarked;
