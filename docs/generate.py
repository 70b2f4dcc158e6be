"""Write the generated pages: `make docs`. A test compares them with the code."""

from __future__ import annotations

from pathlib import Path

from changes.catalog import CATALOG
from changes.pages import change_page, lifecycle_page
from watch.incident_settings import IncidentSettings
from watch.pages import file_of, index_page, rule_page
from watch.rules import rules

HERE = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Every generated file and what must be in it."""
    changes = {
        HERE / "changes" / f"{change.__module__.rpartition('.')[2]}.md": change_page(change)
        for change in CATALOG
    }
    known = rules()
    alerts = {HERE / "alerts" / f"{file_of(rule)}.md": rule_page(rule) for rule in known}
    index = {HERE / "alerts" / "README.md": index_page(known, IncidentSettings)}
    return {**changes, **alerts, **index, HERE / "lifecycle.md": lifecycle_page()}


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(HERE.parent)}")
