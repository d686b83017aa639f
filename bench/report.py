"""Printing figures: one table a benchmark, ratios first."""

from __future__ import annotations

from collections.abc import Sequence


def show(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], note: str = ""
) -> None:
    """A table on stdout."""
    cells = [[text(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    if note:
        print(f"  {note}")


def missed(
    what: str, found: float, *, at_least: float | None = None, at_most: float | None = None
) -> None:
    """Say which aim was missed, and by how much; nothing when it was reached."""
    aim = at_least if at_least is not None else at_most
    if aim is None or (found >= aim if at_least is not None else found <= aim):
        return
    print(f"  MISSED: {what}: {text(found)}, aim {text(float(aim))} ({ratio(found, aim)})")


def text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 1000 else f"{cell:.3g}"
    return str(cell)


def ratio(part: float, whole: float) -> str:
    """How much `part` is of `whole`."""
    return "–" if not whole else f"{part / whole:.2f}×"
