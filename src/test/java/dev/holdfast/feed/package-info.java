@NullMarked
package dev.holdfast.feed;

import org.jspecify.annotations.NullMarked;
