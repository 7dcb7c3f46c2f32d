@NullMarked
package dev.holdfast.entity;

import org.jspecify.annotations.NullMarked;
