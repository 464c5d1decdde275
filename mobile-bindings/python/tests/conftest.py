"""Where the tests find programs, a demonstration's bag, and the external fixture set."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(os.environ.get("MERESTONE_BIN", ROOT / "target" / "debug"))


@dataclass(frozen=True)
class Demo:
    """What ``merestone demo`` leaves."""

    folder: Path

    @property
    def bag(self) -> Path:
        return self.folder / "bag"

    @property
    def forged(self) -> Path:
        return self.folder / "forged"

    def report(self) -> dict[str, Any]:
        """What `merestone-audit` says of the bag."""
        return dict(json.loads((self.folder / "report" / "report.json").read_text(encoding="utf-8")))

    @property
    def mission(self) -> str:
        return str(self.report()["mission"])


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demonstration in ``MERESTONE_DEMO``, or one made now."""
    there = os.environ.get("MERESTONE_DEMO")
    if there and (Path(there) / "report" / "report.json").is_file():
        return Demo(Path(there))
    folder = tmp_path_factory.mktemp("demo") / "out"
    subprocess.run(
        [PROGRAMS / "merestone", "demo", "--out", folder], check=True, stdout=subprocess.DEVNULL, timeout=180
    )
    return Demo(folder)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The external fixture set; tests that need it are skipped without."""
    folder = Path(os.environ.get("MERESTONE_SHARED", ROOT.parent / "shared")) / "fixtures"
    if not folder.is_dir():
        pytest.skip(f"the external fixture set is absent: no {folder}")
    return folder
