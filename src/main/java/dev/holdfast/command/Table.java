package dev.holdfast.command;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows in columns, as wide as what stands in them; numbers to the right. */
final class Table {

  private static final String GAP = "  ";

  private final List<List<String>> rows = new ArrayList<>();

  Table(String... titles) {
    rows.add(List.of(titles));
  }

  /** Adds a row, with as many cells as there are titles. */
  void row(String... cells) {
    if (cells.length != rows.getFirst().size()) {
      throw new IllegalArgumentException("a row must have " + rows.getFirst().size() + " cells");
    }
    rows.add(List.of(cells));
  }

  void print(PrintWriter out) {
    int columns = rows.getFirst().size();
    int[] width = new int[columns];
    boolean[] right = new boolean[columns];
    for (int column = 0; column < columns; column++) {
      int at = column;
      width[at] = rows.stream().mapToInt(row -> row.get(at).length()).max().orElse(0);
      right[at] = rows.stream().skip(1).allMatch(row -> row.get(at).matches("[0-9,.]+|-"));
    }
    for (List<String> row : rows) {
      var line = new StringBuilder();
      for (int column = 0; column < columns; column++) {
        String cell = row.get(column);
        String space = " ".repeat(width[column] - cell.length());
        line.append(column == 0 ? "" : GAP).append(right[column] ? space + cell : cell + space);
      }
      out.println(line.toString().stripTrailing());
    }
    out.flush();
  }
}
