"""Where something stands in a file."""

from typing import NamedTuple


class Place(NamedTuple):
    """A span of text: lines and columns count from 1, columns in code points; the end is exclusive.

    A tuple, because thousands are made for each file that is read, and because tuples sort in
    source order.
    """

    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def first_line(self) -> "Place":
        """The same place cut to its first line, for what must stay on one line.

        The end column is left at 0 ("to the end of the line") where the place spans several
        lines: only whoever has the source knows how long the line is.
        """
        if self.end_line == self.line:
            return self
        return Place(self.line, self.column, self.line, 0)

    def holds(self, other: "Place") -> bool:
        """Whether `other` lies within this place."""
        return (self.line, self.column) <= (other.line, other.column) and (
            other.end_line,
            other.end_column,
        ) <= (self.end_line, self.end_column)
