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
RECORDS = 10_000


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
        await filled(inspector)
        record = await inspector.save("Northgate")
        every = merestone.RecordQuery()
        plain("call: merestone.version", 20_000, merestone.version)
        plain("call: phone.is_open", 20_000, lambda: opened.is_open)
        await awaited("call: await observers.all", 500, opened.observers.all)
        await awaited("call: await records.page of 1", 500, lambda: opened.records.page(every, most=1))
        await awaited("call: await records.page of 50", 500, lambda: opened.records.page(every, most=50))
        await awaited("call: await records.sheet", 500, lambda: opened.records.sheet(record))
        await awaited("a record with its history (read)", 300, lambda: opened.records.read(record))
        lines = 0
        begun = time.perf_counter()
        async for _ in opened.records.find():
            lines += 1
        told(f"a line of a list, of {lines}", (time.perf_counter() - begun) / lines)
    begun = time.perf_counter()
    async with await merestone.Phone.open(folder / "phone"):
        told(f"opening a store of {RECORDS} records", time.perf_counter() - begun)


async def filled(inspector: Inspector) -> None:
    """Ten thousand records, four at once."""
    form = await inspector.form()

    async def saving(worker: int) -> None:
        for number in range(worker, RECORDS, 4):
            answers: dict[str, merestone.Answer] = {"post": f"Post {number}"}
            await inspector.phone.drafts.save_new(inspector.key, inspector.scope, form, answers)

    begun = time.perf_counter()
    await asyncio.gather(*(saving(worker) for worker in range(4)))
    told("a record signed and durable (save_new), four at once", (time.perf_counter() - begun) / RECORDS)
    await inspector.phone.records.catch_up()


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
