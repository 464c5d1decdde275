"""What an observer's program runs into: callbacks that raise, a phone that is closed, calls that are cancelled."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from field import PASSPHRASE, Inspector, Mission, PlainVault

import merestone
from merestone import KeystoreGone, KeystoreRefused, NotKnown, PlaceLine, _crossing, by_address, by_ticket


@pytest.fixture(scope="module")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Mission:
    return Mission(tmp_path_factory.mktemp("office"))


@pytest_asyncio.fixture
async def olena(mission: Mission, tmp_path: Path) -> AsyncIterator[Inspector]:
    inspector = await Inspector.enrol("Olena", mission, tmp_path / "olena")
    yield inspector
    await inspector.phone.close()


class Nowhere(merestone.LocationProvider):
    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    def locate(self) -> PlaceLine | None:
        self.asked += 1
        raise self.error


class BrokenClock(merestone.ClockProvider):
    def read(self) -> merestone.ClockLine:
        raise RuntimeError("the battery of the clock is empty")


@pytest.mark.parametrize("error", [NotKnown("no satellite"), RuntimeError("a fault of the program")])
async def test_a_place_and_a_clock_that_raise_keep_nothing_from_being_saved(
    error: Exception, mission: Mission, tmp_path: Path
) -> None:
    place = Nowhere(error)
    providers = merestone.Providers(location=place, clock=BrokenClock())
    inspector = await Inspector.enrol("Ana", mission, tmp_path / "ana", providers=providers)
    async with inspector.phone as phone:
        read = await phone.records.read(await inspector.save("Northgate"))
    assert place.asked > 0
    assert read is not None
    assert read.creation is not None
    assert read.creation.position is None
    assert read.creation.device_clock is not None
    assert abs(read.creation.device_clock.timestamp() - time.time()) < 60, "the system's clock was read"


@pytest.mark.parametrize(
    ("raised", "is_gone"),
    [
        (KeystoreRefused("the person did not look at the phone"), False),
        (KeystoreGone("a finger was added"), True),
        (RuntimeError("a fault of the program"), False),
    ],
)
async def test_a_keystore_that_raises_is_said_with_whether_it_ever_will(
    raised: Exception, is_gone: bool, mission: Mission, tmp_path: Path
) -> None:
    vault = PlainVault()
    inspector = await Inspector.enrol("Ana", mission, tmp_path / "ana", secret=vault)
    async with inspector.phone as phone:
        await phone.observers.lock()
        vault.fails = raised
        with pytest.raises(merestone.MerestoneError) as error:
            await phone.observers.unlock(inspector.key, vault)
        assert isinstance(error.value, merestone.ProviderFailed), repr(error.value)
        assert error.value.is_gone is is_gone
        vault.fails = None
        await phone.observers.unlock(inspector.key, vault)
        await inspector.save("Northgate")


async def test_a_locked_key_a_wrong_passphrase_and_a_stranger_are_typed(olena: Inspector) -> None:
    await olena.phone.observers.lock()
    with pytest.raises(merestone.Locked):
        await olena.save("Northgate")
    with pytest.raises(merestone.Locked) as wrong:
        await olena.phone.observers.unlock(olena.key, "not the passphrase")
    assert "not the passphrase" not in str(wrong.value), "no secret in an error"
    with pytest.raises(merestone.MerestoneError):
        await olena.phone.observers.unlock("0" * 64, PASSPHRASE)


async def test_after_close_every_call_says_so_and_another_opening_works(mission: Mission, tmp_path: Path) -> None:
    inspector = await Inspector.enrol("Ana", mission, tmp_path / "ana")
    record = await inspector.save("Northgate")
    interview = await inspector.phone.drafts.begin(inspector.key, inspector.scope, await inspector.form())
    with pytest.raises(merestone.Storage) as in_use:
        await merestone.Phone.open(tmp_path / "ana")
    assert in_use.value.fault == "in-use"
    await inspector.phone.close()
    await inspector.phone.close()
    assert not inspector.phone.is_open
    for call in (
        inspector.phone.mission(),
        inspector.phone.records.read(record),
        inspector.phone.bags.write(tmp_path / "bag"),
        inspector.save("Southgate"),
        interview.answer("post", "x"),
        interview.save(),
    ):
        with pytest.raises(merestone.Closed) as closed:
            await call
        assert not closed.value.is_paused
    assert not (tmp_path / "bag").exists()
    async with await merestone.Phone.open(tmp_path / "ana") as again:
        assert await again.records.read(record) is not None
        assert len(await again.drafts.all()) == 1, "what was begun is still there"


async def test_paused_no_file_of_the_store_is_open_and_resumed_keys_still_are_unlocked(olena: Inspector) -> None:
    await olena.save("Northgate")
    folder = str(await asyncio.to_thread(os.path.realpath, open_files_folder(olena)))
    await olena.phone.pause()
    assert not [file for file in open_files() if file.startswith(folder)]
    with pytest.raises(merestone.Closed) as closed:
        await olena.save("Southgate")
    assert closed.value.is_paused
    await olena.phone.resume()
    await olena.save("Southgate")
    assert len([line async for line in olena.phone.records.find()]) == 2


async def test_a_cancelled_meeting_ends_its_link_at_the_other_side(mission: Mission, tmp_path: Path) -> None:
    olena = await Inspector.enrol("Olena", mission, tmp_path / "olena")
    piotr = await Inspector.enrol("Piotr", mission, tmp_path / "piotr", party="b")
    async with (
        olena.phone,
        piotr.phone,
        await olena.phone.sync.answer(olena.key, "127.0.0.1:0", is_advertised=False) as answering,
    ):
        ticket = by_ticket((await answering.ticket()).text)
        met = asyncio.Event()
        meeting = asyncio.create_task(
            piotr.phone.sync.meet(
                piotr.key, ticket, stay=True, on_progress=lambda state: met.set() if state.is_fully_synced else None
            )
        )
        await asyncio.wait_for(met.wait(), 20)
        (caller,) = await answering.callers()
        assert caller.report is None, "still there"
        meeting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await meeting
        await until(lambda: ended(answering), "the other side sees the end of the link")
        record = await piotr.save("After the meeting")
        assert await piotr.phone.records.read(record) is not None


async def test_a_listener_that_raises_hurts_nobody(olena: Inspector, mission: Mission, tmp_path: Path) -> None:
    def raises(_: merestone.SyncState) -> None:
        raise RuntimeError("a fault of the program")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    piotr = await Inspector.enrol("Piotr", mission, tmp_path / "piotr", party="b")
    async with piotr.phone, await olena.phone.sync.answer(olena.key, "127.0.0.1:0", is_advertised=False) as answering:
        ticket = by_ticket((await answering.ticket()).text)
        assert (await piotr.phone.sync.meet(piotr.key, ticket, on_progress=raises)).is_fully_synced


async def test_changes_begin_with_everything_and_are_told_to_everybody_who_listens(olena: Inspector) -> None:
    first, second = olena.phone.changes(), olena.phone.changes()
    for changes in (first, second):
        begun = await asyncio.wait_for(anext(changes), 5)
        assert (begun.records, begun.is_everything, begun.has_statements) == ([], True, True)
    record = await olena.save("Northgate")
    for changes in (first, second):
        assert (await asyncio.wait_for(anext(changes), 5)).records == [record]
    await first.aclose()
    later = await olena.save("Southgate")
    assert (await asyncio.wait_for(anext(second), 5)).records == [later]
    await second.aclose()


@pytest.mark.parametrize("ends", ["close", "wipe"])
async def test_changes_end_with_the_phone_and_are_refused_after_it(ends: str, mission: Mission, tmp_path: Path) -> None:
    inspector = await Inspector.enrol("Ana", mission, tmp_path / "ana")
    waiting, slow = inspector.phone.changes(), inspector.phone.changes()
    await anext(waiting), await anext(slow)
    hears = asyncio.ensure_future(_all_of(waiting))
    await inspector.phone.pause()
    with pytest.raises(merestone.Closed) as paused:
        await anext(inspector.phone.changes())
    assert paused.value.is_paused
    await inspector.phone.resume()
    record = await inspector.save("Northgate")
    await asyncio.sleep(0.5)
    await (inspector.phone.close() if ends == "close" else inspector.phone.wipe())
    assert await asyncio.wait_for(hears, 5) == [record]
    assert await asyncio.wait_for(_all_of(slow), 5) == [record], "what was told before is not lost"
    with pytest.raises(merestone.Closed) as closed:
        await anext(inspector.phone.changes())
    assert not closed.value.is_paused


async def _all_of(changes: AsyncIterator[merestone.Change]) -> list[str]:
    return [record async for change in changes for record in change.records]


async def test_a_save_with_an_id_is_done_once_however_often_it_is_asked_for_and_cancelled(olena: Inspector) -> None:
    form, answers = await olena.form(), {"post": "Bridge"}
    records = []
    for number in range(6):
        once = secrets.token_hex(16)

        async def save(once: str = once) -> merestone.SavedLine:
            return await olena.phone.drafts.save_new(olena.key, olena.scope, form, answers, once=once)

        cancelled = asyncio.ensure_future(save())
        await asyncio.sleep(number / 500)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        first, again = await save(), await save()
        assert first == again
        records.append(first.record)
    held = [line.id async for line in olena.phone.records.find()]
    assert sorted(held) == sorted(records)


async def test_nobody_at_an_address_is_unreachable(olena: Inspector) -> None:
    target = by_address("127.0.0.1:9")
    with pytest.raises(merestone.Unreachable):
        await olena.phone.sync.meet(olena.key, target, attempts_max=1)


async def test_hostile_texts_are_kept_or_refused_and_the_phone_lives(olena: Inspector) -> None:
    async def saved(post: str) -> object:
        read = await olena.phone.records.read(await olena.save(post))
        assert read is not None
        return read["post"]

    assert await saved("=cmd|' /C calc'!A0") == "=cmd|' /C calc'!A0"
    assert await saved("Ягодин معبر 🛂") == "Ягодин معبر 🛂"
    assert await saved("null\0byte, turned\u202earound") == "nullbyte, turnedaround", (
        "what no text may hold is left out"
    )
    for post in ("\ud800", "x" * 3_000_000):
        with pytest.raises(merestone.Refused):
            await saved(post)
    with pytest.raises(TypeError):
        await olena.phone.drafts.save_new(olena.key, olena.scope, await olena.form(), {"post": 1.5})  # type: ignore[dict-item]
    for identity in ("", "zz", "0" * 64, "\0"):
        with pytest.raises(merestone.MerestoneError):
            await olena.phone.drafts.begin_edit(olena.key, identity)
    assert await saved("still here") == "still here"


async def test_a_cut_key_saves_nothing_more(mission: Mission, tmp_path: Path) -> None:
    lost = await Inspector.enrol("Lost", mission, tmp_path / "lost")
    async with lost.phone:
        await lost.save("Northgate")
        with mission.camp() as camp:
            target = by_ticket(camp.ticket)
            await lost.phone.sync.meet(lost.key, target)
        cut = mission.cut(lost.key, camp)
        mission.run("roster", "add", str(cut), "--home", str(camp.home))
        with mission.camp() as camp:
            report = await lost.phone.sync.meet(lost.key, by_ticket(camp.ticket))
            assert report is not None
        with pytest.raises(merestone.NotEnrolled) as error:
            await lost.save("Southgate")
        assert error.value.is_cut


async def test_a_process_that_is_killed_while_saving_lost_nothing_that_it_was_told_is_saved(
    mission: Mission, tmp_path: Path
) -> None:
    inspector = await Inspector.enrol("Ana", mission, tmp_path / "ana")
    form = await inspector.form()
    await inspector.phone.close()
    script = f"""
import asyncio, merestone
async def main():
    async with await merestone.Phone.open({str(tmp_path / "ana")!r}) as phone:
        await phone.observers.unlock({inspector.key!r}, {PASSPHRASE!r})
        for n in range(10_000):
            answers = {{"post": f"Post {{n}}"}}
            saved = await phone.drafts.save_new({inspector.key!r}, {inspector.scope!r}, {form!r}, answers)
            print(saved.record, flush=True)
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(20)]
    process.kill()
    told += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.wait()
    async with await merestone.Phone.open(tmp_path / "ana") as phone:
        held = {line.id async for line in phone.records.find()}
        assert set(told) <= held
        assert len(held) <= len(told) + 1


async def test_lists_and_tables_have_everything_that_arrived_at_once(
    mission: Mission, olena: Inspector, tmp_path: Path
) -> None:
    piotr = await Inspector.enrol("Piotr", mission, tmp_path / "piotr")
    form = await piotr.form()
    for number in range(700):
        await piotr.phone.drafts.save_new(piotr.key, piotr.scope, form, {"post": f"Post {number}"})
    await piotr.phone.courier.write(piotr.key, tmp_path / "north.courier")
    await piotr.phone.close()
    await olena.phone.courier.read(olena.key, tmp_path / "north.courier")
    assert len(await olena.phone.records.to_dataframe("inspection")) == 700
    assert len({line.id async for line in olena.phone.records.find()}) == 700


def test_a_home_shows_nothing_of_the_store_key() -> None:
    key = bytes(range(200, 232))
    home = _crossing.PhoneHome(folder="a", marker="b", store_key=_crossing.StoreSecret(key))
    for shown in (str(home), repr(home), repr(home.store_key)):
        assert repr(key)[2:-1] not in shown
        assert key.hex() not in shown
        assert str(list(key))[1:-1] not in shown
    with pytest.raises(_crossing.PhoneError):
        _crossing.StoreSecret(key[1:])


async def test_wiped_nothing_is_left_and_nothing_opens(mission: Mission, tmp_path: Path) -> None:
    vault = PlainVault()
    inspector = await Inspector.enrol("Ana", mission, tmp_path / "ana", secret=vault)
    await inspector.save("Northgate")
    with pytest.raises(merestone.Storage):
        await merestone.wipe(tmp_path / "ana")
    assert vault.forgotten == []
    await inspector.phone.wipe()
    assert vault.forgotten == [bytes.fromhex(inspector.key)]
    assert not inspector.phone.is_open
    assert not [path for path in (tmp_path / "ana").rglob("*") if path.is_file()]
    with pytest.raises(merestone.MerestoneError):
        await merestone.Phone.open(tmp_path / "ana")


def open_files() -> list[str]:
    return [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_there(fd)]


def open_files_folder(inspector: Inspector) -> str:
    folders = {os.path.dirname(file) for file in open_files() if "/olena/" in file}
    assert folders, "the store is open"
    return os.path.commonpath(folders).split("/olena")[0] + "/olena"


def _is_there(fd: str) -> bool:
    try:
        os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return False
    return True


async def ended(answering: merestone.Answering) -> bool:
    return all(caller.report is not None for caller in await answering.callers())


async def until(holds: object, what: str) -> None:
    assert callable(holds)
    for _ in range(200):
        if await holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(what)
