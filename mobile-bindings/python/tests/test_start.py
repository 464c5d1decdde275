"""The page's first ten minutes, as they stand there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from field import Mission

import merestone

HERE = Path(__file__).resolve()


async def test_the_first_day_on_the_page_runs_and_ends_synced_and_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (HERE.parents[2] / "README.md").read_text(encoding="utf-8")
    block = page.split("## Python in ten minutes", 1)[1].split("```python\n", 1)[1].split("```", 1)[0]
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)
    mission = Mission(tmp_path / "office")
    photo = HERE.parents[3] / "fixtures" / "demo" / "photos" / "post-01.jpg"
    with mission.camp() as camp:
        report, audit = await names["first_day"](
            tmp_path / "phone", mission.charter, mission.certify, photo, camp.ticket, tmp_path / "bag"
        )
    assert report.is_fully_synced
    assert audit.verdict is merestone.Verdict.PASSED
    said = capsys.readouterr().out
    assert "at base camp" in said
    assert "not yet" not in said
