"""The Markdown page that is being written: blocks one after the other, in lists, quotes and tables.

A container is a list item or a quote. Code blocks stand at column 0 even inside containers, so that
``text.segments`` finds them; the container then goes on without its indentation. The page takes tags
in the order of the post, closes what the post leaves open and ignores ends of what is not open. Which
tag calls which method stands in body.py.
Source: ours: docs/decisions/0005.
"""

import re

from procqa.dump.hints import read_hint_tag
from procqa.dump.paragraph import Paragraph, escape_tildes, in_one_line, to_prose
from procqa.dump.tags import attributes_of, name_of

MAX_PREFIX_CHARS = 60
"""Where containers stop indenting their content, or deep ones would cost quadratic time, in characters.

Source: ours: docs/decisions/0005.
"""

_START = re.compile(r"[0-9]{1,9}")


class Page(Paragraph):
    """The Markdown written so far, what is open in it, and the paragraph that is being read.

    The content of a container stands behind `prefix`; the first line of a list item stands behind
    `marker` instead, which is None once it is used. `lists` holds None for each open unordered list
    and the next number for an ordered one, `quotes` the prefix of each open quote.
    """

    __slots__ = (
        "blocks",
        "cell_open",
        "default_language",
        "fences",
        "frames",
        "heading",
        "held_code",
        "language",
        "lists",
        "marker",
        "open_names",
        "prefix",
        "quotes",
        "row",
        "shared_quotes",
        "table",
        "tight",
    )

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = []  # blocks and the blank lines between them
        self.heading = ""
        self.language = ""  # of the next code block, by a hint
        self.default_language = ""
        self.frames: list[tuple[str, str, str | None, int]] = []  # name, and prefix, marker, fences before it
        self.open_names = {"ul": 0, "ol": 0, "li": 0, "blockquote": 0, "table": 0}
        self.lists: list[int | None] = []
        self.quotes: list[str] = []
        self.prefix = ""
        self.marker: str | None = None
        self.fences = 0
        self.shared_quotes = 0  # quotes open since the last block
        self.tight = False  # the last block is a list item whose list is still open
        self.table: list[list[str]] = []
        self.row: list[str] | None = None
        self.cell_open = False
        self.held_code: list[str] = []  # code blocks in a table row, to follow it

    def ignore(self, _tag: str) -> None:
        """A tag that changes nothing in the text."""

    def add_unknown_tag(self, tag: str) -> None:
        """Keep as text what only looks like a tag."""
        self.inline.append(to_prose(f"<{tag}>"))

    def finish(self) -> str:
        """Close what is open; the Markdown."""
        self.end_block()
        if not self.simple:
            self.open_names["table"] = 0
            self.end_row()
            self.put_table()
        if self.blocks:
            self.blocks[0] = ""  # the gap before the first block
        return "".join(self.blocks)

    # Blocks

    def end_block(self, _tag: str = "") -> None:
        """End the paragraph, if one is open."""
        inline = self.inline
        if not inline:
            return
        if self.simple:
            block = inline[0] if len(inline) == 1 else "".join(inline)
            # Every blank but the space is unprintable; asking first costs half of splitting every line.
            if "\n" in block or "  " in block or block[:1] == " " or block[-1:] == " " or not block.isprintable():
                block = " ".join(block.split())
            inline.clear()
            if block[:3] == "~~~":
                block = escape_tildes(block)
        elif self.row is not None:
            inline.append(" ")
            return
        else:
            block = self.heading + self.take_inline()
            if self.heading:
                block = in_one_line(block) if block != self.heading else ""
                self.heading = ""
            self.simple = not self.open_names["table"]
        if block:
            self.put(block)

    def put(self, block: str) -> None:
        """Write a block of lines behind the prefix."""
        if self.table:
            self.put_table()
        gap = "\n\n"
        if self.frames:
            first = self.prefix if self.marker is None else self.marker
            if self.tight and self.marker is not None:
                gap = "\n"
            elif self.shared_quotes:
                gap = f"\n{self.quotes[self.shared_quotes - 1].rstrip()}\n"
            self.tight = self.marker is not None
            self.marker = None
            self.shared_quotes = len(self.quotes)
            block = first + (block.replace("\n", "\n" + self.prefix) if "\n" in block else block)
        else:
            self.tight = False
        self.blocks += (gap, block)

    def put_code(self, block: str) -> None:
        """Write a fence at column 0, which ends the indentation of every open list."""
        if self.row is not None:
            self.held_code.append(block)
            return
        if self.table:
            self.put_table()
        self.blocks += ("\n\n", block)
        if not self.frames:
            return
        self.fences += 1
        self.quotes = ["> " * depth for depth in range(1, len(self.quotes) + 1)]
        self.prefix = "> " * len(self.quotes)
        self.marker = None
        self.shared_quotes = 0
        self.tight = False

    def start_heading(self, tag: str) -> None:
        """End the paragraph; the next one is a heading."""
        self.end_block()
        if self.row is None:
            self.heading = "#" * int(tag[1]) + " "
            self.simple = False

    def end_heading(self, _tag: str) -> None:
        """End the heading."""
        self.end_block()
        self.heading = ""

    def add_rule(self, _tag: str) -> None:
        """A line across the page."""
        self.end_block()
        if self.row is None:
            self.put("---")

    def add_hint(self, tag: str) -> None:
        """The language of the next code block, or of all that follow."""
        if hint := read_hint_tag(tag):
            is_for_all, language = hint
            if is_for_all:
                self.default_language = language
            else:
                self.language = language

    def take_hint(self) -> str:
        """The language of a code block that names none itself, empty where no hint did."""
        hint, self.language = self.language or self.default_language, ""
        return hint

    # Lists and quotes

    def start_list(self, tag: str) -> None:
        """Open an ordered or unordered list."""
        self.end_block()
        name = name_of(tag)
        first = None
        if name == "ol":
            start = _START.fullmatch(attributes_of(tag).get("start", "1"))
            first = int(start[0]) if start else 1
        if not self.lists:
            self.tight = False
        self.lists.append(first)
        self.open(name)

    def start_item(self, _tag: str) -> None:
        """Open a list item, closing the one before it where the post does not."""
        if self.inline:
            self.end_block()
        if self.frames and self.frames[-1][0] == "li":
            self.close("li")
        mark = "- "
        if self.lists and (number := self.lists[-1]) is not None:
            mark = f"{number}. "
            self.lists[-1] = number + 1
        prefix, marker = self.prefix, self.marker
        self.frames.append(("li", prefix, marker, self.fences))
        self.open_names["li"] += 1
        self.marker = (prefix if marker is None or len(marker) >= MAX_PREFIX_CHARS else marker) + mark
        if len(prefix) < MAX_PREFIX_CHARS:
            self.prefix = prefix + " " * len(mark)

    def end_item(self, _tag: str) -> None:
        """Close a list item by its end tag."""
        if self.inline:
            self.end_block()
        if self.frames and self.frames[-1][0] == "li":
            _, prefix, marker, fences = self.frames.pop()
            self.open_names["li"] -= 1
            self.prefix = prefix if fences == self.fences else "> " * len(self.quotes)
            if self.marker is not None:
                self.marker = marker
        elif self.open_names["li"]:
            self.close("li")

    def start_quote(self, _tag: str) -> None:
        """Open a quote."""
        self.end_block()
        if len(self.prefix) >= MAX_PREFIX_CHARS:
            return
        self.open("blockquote")
        self.prefix += "> "
        self.quotes.append(self.prefix)
        if self.marker is not None:
            self.marker += "> "

    def open(self, name: str) -> None:
        """Remember what stands before a container, a list or a table."""
        self.frames.append((name, self.prefix, self.marker, self.fences))
        self.open_names[name] += 1

    def end_frame(self, tag: str) -> None:
        """Close a container, a list or a table by its end tag."""
        self.end_block()
        name = name_of(tag)[1:]
        if self.open_names[name]:
            self.close(name)

    def close(self, name: str) -> None:
        """Close the innermost frame of a name and all that was opened in it."""
        closed = ""
        while closed != name:
            closed, prefix, marker, fences = self.frames.pop()
            self.open_names[closed] -= 1
            if closed == "li":
                pass
            elif closed == "blockquote":
                self.quotes.pop()
                self.shared_quotes = min(self.shared_quotes, len(self.quotes))
            elif closed in ("ul", "ol"):
                self.lists.pop()
                self.tight = self.tight and bool(self.lists)
            self.prefix = prefix if fences == self.fences else "> " * len(self.quotes)
            self.marker = None if self.marker is None else marker
            if closed == "table" and not self.open_names["table"]:
                self.end_row()
                self.put_table()

    # Tables

    def start_table(self, _tag: str) -> None:
        """Open a table; one in a cell of another becomes words of that cell."""
        self.end_block()
        self.open("table")
        self.simple = False

    def start_row(self, _tag: str) -> None:
        """Open a table row."""
        self.end_block()
        if self.open_names["table"] == 1:
            self.end_row()
            self.row = []

    def start_cell(self, _tag: str) -> None:
        """Open a table cell."""
        self.end_block()
        if self.open_names["table"] == 1:
            self.end_cell()
            self.row = [] if self.row is None else self.row
            self.cell_open = True

    def end_cell(self, _tag: str = "") -> None:
        """Close the cell, if one is open in the outer table."""
        if self.row is None or self.open_names["table"] > 1:
            self.end_block()
            return
        cell = in_one_line(self.take_inline())
        if cell or self.cell_open:
            self.row.append(cell.replace("|", "\\|"))
        self.cell_open = False

    def end_row(self, _tag: str = "") -> None:
        """Close the row; code blocks in its cells follow it, ending the table's first part."""
        if self.row is None or self.open_names["table"] > 1:
            self.end_block()
            return
        self.end_cell()
        if self.row:
            self.table.append(self.row)
        self.row = None
        if self.held_code:
            self.put_table()
            for block in self.held_code:
                self.put_code(block)
            self.held_code.clear()

    def put_table(self) -> None:
        """Write the rows read so far; the first is the head."""
        if self.table:
            rows = [f"| {' | '.join(cells)} |" for cells in self.table]
            rows.insert(1, "|" + " --- |" * len(self.table[0]))
            self.table.clear()
            self.put("\n".join(rows))
