"""What the library calls in a program: it may call back, it may be told much, and it is never told a secret."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from field import PASSPHRASE, Inspector, Mission

import merestone
from merestone import LogLevel, PlaceLine, by_nearby, by_ticket


@pytest.fixture(scope="module")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Mission:
    return Mission(tmp_path_factory.mktemp("office"))


class Asking(merestone.LocationProvider):
    """A place that looks at the phone first, on the library's own thread."""

    def __init__(self) -> None:
        self.phone: merestone.Phone | None = None
        self.seen = 0

    def locate(self) -> PlaceLine | None:
        if self.phone is not None:
            self.seen += len(asyncio.run(self.phone.observers.all()))
        return None


async def test_a_callback_may_call_back_into_the_phone(mission: Mission, tmp_path: Path) -> None:
    place = Asking()
    inspector = await Inspector.enrol("Ana", mission, tmp_path / "ana", providers=merestone.Providers(location=place))
    async with inspector.phone as phone:
        place.phone = phone
        await asyncio.wait_for(inspector.save("Northgate"), 20)
    assert place.seen == 1


class Lines(merestone.LogSink):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, level: LogLevel, line: str) -> None:
        self.lines.append(f"{level.name} {line}")
        raise RuntimeError("a fault of the program")


async def test_log_lines_name_nobody_and_nothing(mission: Mission, tmp_path: Path) -> None:
    sink = Lines()
    merestone.set_log_sink(sink)
    try:
        inspector = await Inspector.enrol("Nadezhda", mission, tmp_path / "nadezhda")
        async with inspector.phone as phone:
            record = await inspector.save("Secret crossing")
            with pytest.raises(merestone.Locked):
                await phone.observers.unlock(inspector.key, "a wrong passphrase")
        await asyncio.sleep(0.3)
    finally:
        merestone.set_log_sink(None)
    assert sink.lines, "a phone that opens says so"
    told = "\n".join(sink.lines)
    for secret in (
        "Nadezhda",
        "Secret crossing",
        PASSPHRASE,
        "a wrong passphrase",
        inspector.key,
        record,
        str(tmp_path),
    ):
        assert secret not in told


async def test_phones_of_a_local_network_find_each_other(mission: Mission, tmp_path: Path) -> None:
    olena = await Inspector.enrol("Olena", mission, tmp_path / "olena")
    piotr = await Inspector.enrol("Piotr", mission, tmp_path / "piotr")
    async with (
        olena.phone,
        piotr.phone,
        await olena.phone.sync.answer(olena.key, "0.0.0.0:0", is_advertised=True) as answering,
    ):
        port = answering.address.rsplit(":", 1)[1]
        devices = piotr.phone.sync.nearby(piotr.key, for_ms=5_000)
        near = [device async for device in devices]
        ours = [device for device in near if any(address.endswith(f":{port}") for address in device.addresses)]
        if not ours:
            pytest.skip("this machine's network carries no announcements (multicast)")
        assert ours[0].speaks_ours
        assert len({device.transport_key for device in near}) == len(near), "each once"
        assert (await piotr.phone.sync.meet(piotr.key, by_nearby(ours[0]))).is_fully_synced
        first = piotr.phone.sync.nearby(piotr.key, for_ms=60_000)
        async for _ in first:
            break
        await asyncio.wait_for(first.aclose(), 5)
        ticket = by_ticket((await answering.ticket()).text)
        assert (await piotr.phone.sync.meet(piotr.key, ticket)).is_fully_synced
