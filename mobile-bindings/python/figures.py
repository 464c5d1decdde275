"""How long calls take: a table for `figures.sh`. Each figure is the best of five rounds."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from conftest import PROGRAMS
from field import Inspector, Mission

import merestone

ROUNDS = 5


def told(what: str, seconds: float) -> None:
    unit, factor = next((pair for pair in (("s", 1.0), ("ms", 1e3)) if seconds * pair[1] >= 1), ("µs", 1e6))
    print(f"  {what:<58} {seconds * factor:9.1f} {unit}", flush=True)


def plain(what: str, times: int, call: Callable[[], object]) -> None:
    told(what, min(_round(times, call) for _ in range(ROUNDS)))


def _round(times: int, call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begun) / times


async def awaited(what: str, times: int, call: Callable[[], Awaitable[object]]) -> None:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(times):
            await call()
        best = min(best, (time.perf_counter() - begun) / times)
    told(what, best)


async def phone(folder: Path) -> None:
    inspector = await Inspector.enrol("Olena", Mission(folder / "office"), folder / "phone")
    async with inspector.phone as opened:
        record = await inspector.save("Northgate")
        plain("a call without work (is_open)", 20_000, lambda: opened.is_open)
        await awaited("an awaited call without disk (room)", 1_000, opened.room)
        await awaited("a record whole (sheet)", 300, lambda: opened.records.sheet(record))
        await awaited("a record with its history (read)", 300, lambda: opened.records.read(record))
        await awaited("a record signed and durable (save_new)", 20, lambda: inspector.save("Southgate"))
        lines = 0
        begun = time.perf_counter()
        async for _ in opened.records.find():
            lines += 1
        told(f"a line of a list, of {lines}", (time.perf_counter() - begun) / lines)


def bag(folder: Path) -> None:
    subprocess.run(
        [str(PROGRAMS / "merestone"), "demo", "--out", str(folder / "demo")], check=True, stdout=subprocess.DEVNULL
    )
    report = json.loads((folder / "demo" / "report" / "report.json").read_text(encoding="utf-8"))
    judged = merestone.audit(folder / "demo" / "bag", report["mission"])
    entries = report["counts"]["entries"]
    plain(f"an audit of {entries} entries", 1, lambda: merestone.audit(folder / "demo" / "bag", report["mission"]))
    plain(f"reading all {entries} entries of the judged bag", 1, lambda: sum(1 for _ in judged.entries))
    plain("all of them as a table", 1, judged.entries.to_dataframe)


def main() -> None:
    print(f"Python {sys.version.split()[0]}, library {merestone.version()}")
    imported = "import time; t = time.perf_counter(); import merestone; print(time.perf_counter() - t)"
    told(
        "import merestone", min(float(subprocess.check_output([sys.executable, "-c", imported])) for _ in range(ROUNDS))
    )
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(phone(Path(folder)))
        bag(Path(folder))
    print(
        f"  {'memory of the process at most':<58} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:9.1f} MiB"
    )


if __name__ == "__main__":
    main()
