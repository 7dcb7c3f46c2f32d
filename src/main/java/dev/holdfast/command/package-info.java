/**
 * The command line, one class a command, and beside them what several of them use.
 *
 * <p>Start at {@link dev.holdfast.command.HoldfastCommand}, which lists them. Exit status: 0 done,
 * 1 failed, 2 wrong usage or settings. What a command says goes to standard output, logs and errors
 * to standard error.
 */
@NullMarked
package dev.holdfast.command;

import org.jspecify.annotations.NullMarked;
