/**
 * The console and the shop in a real Chromium, against a cluster that {@code up} runs. Compiled and
 * run in the profile {@code browser} only.
 */
@NullMarked
package dev.holdfast.browser;

import org.jspecify.annotations.NullMarked;
