"""Two inspectors' day, with real programs for the officer, base camp and the auditor."""

from __future__ import annotations

from pathlib import Path

import pytest
from field import Inspector, Mission, PlainVault

import merestone
from merestone import PlaceKind, PlaceLine, SpeechKind, by_address, by_ticket


class AtTheBridge(merestone.LocationProvider):
    def locate(self) -> PlaceLine | None:
        return PlaceLine(lat_e7=511_234_567, lon_e7=238_000_000, accuracy_m=8, source=PlaceKind.SATELLITE)


async def test_what_two_phones_saved_without_a_network_is_merged_resolved_handed_over_and_passes_the_audit(
    tmp_path: Path, shared: Path
) -> None:
    mission = Mission(tmp_path / "office")
    place = merestone.Providers(location=AtTheBridge())
    olena = await Inspector.enrol("Olena", mission, tmp_path / "olena", providers=place)
    piotr = await Inspector.enrol("Piotr", mission, tmp_path / "piotr", secret=PlainVault())
    async with olena.phone, piotr.phone:
        record = await inspect_with_photo(olena, shared / "photos" / "phones" / "jolla.jpg", tmp_path)
        await meet_on_loopback(olena, piotr)
        await edit_apart(olena, piotr, record)
        await meet_on_loopback(piotr, olena)
        await resolve(olena, piotr, record)
        await hand_over(mission, olena, piotr, record)
        await carry_on_a_stick(olena, piotr, tmp_path / "north.courier")
        await write_bag(mission, olena, record, tmp_path / "bag")


async def inspect_with_photo(olena: Inspector, photo: Path, scratch: Path) -> str:
    drafts = olena.phone.drafts
    async with await drafts.begin(olena.key, olena.scope, await olena.form()) as interview:
        assert await interview.problems(), "a post is required"
        answered = await interview.answer("post", "Bridge over the river")
        assert answered.screen is not None
        assert answered.screen.shown == "Bridge over the river"
        await interview.answer_typed("day", "2026-03-02")
        await interview.answer_typed("status", "open")
        await interview.answer("queue_low", 12)
        attached = await interview.attach(photo, caption="Queue", is_app_captured=True)
        assert attached.warnings == []
        draft = (await interview.info()).draft

    resumed = await drafts.go_on(draft)
    place = await resumed.find("queue_low")
    assert place is not None
    (screen,) = await resumed.screens(place, 1)
    assert screen.shown == "12"
    saved = await resumed.save()
    assert await drafts.all() == []

    sheet = await olena.phone.records.sheet(saved.record)
    assert sheet is not None
    (kept,) = sheet.photos
    assert (kept.bytes, kept.captions) == (photo.stat().st_size, ["Queue"])
    assert kept.thumbnail is not None
    assert await olena.phone.photos.picture(kept.thumbnail)
    await olena.phone.photos.save(kept.original, scratch / "copy.jpg")
    assert (scratch / "copy.jpg").read_bytes() == photo.read_bytes()
    (custody,) = await olena.phone.records.custody_of(saved.record)
    assert (custody.peers, custody.is_at_base_camp) == (0, False)
    read = await olena.phone.records.read(saved.record)
    assert read is not None
    assert read.creation is not None
    assert read.creation.position == merestone.Position(51.1234567, 23.8, 8, "satellite")
    assert (read["post"], read["queue_low"]) == ("Bridge over the river", 12)
    return str(saved.record)


async def meet_on_loopback(host: Inspector, guest: Inspector) -> None:
    seen: list[merestone.SyncState] = []
    async with await host.phone.sync.answer(host.key, "127.0.0.1:0", is_advertised=False) as answering:
        ticket = by_ticket((await answering.ticket(f"{host.name}'s phone")).text)
        report = await guest.phone.sync.meet(guest.key, ticket, on_progress=seen.append)
        assert report.is_fully_synced, report
        assert report.state.peer is not None
        assert report.state.peer.observer == host.name
        assert len(await answering.callers()) == 1
    assert seen, "progress was told"
    assert seen[-1].is_fully_synced


async def edit_apart(olena: Inspector, piotr: Inspector, record: str) -> None:
    for inspector, remark in ((olena, "quiet"), (piotr, "very quiet")):
        async with await inspector.phone.drafts.begin_edit(inspector.key, record) as edit:
            await edit.answer("remarks", remark)
            await edit.save()


async def resolve(olena: Inspector, piotr: Inspector, record: str) -> None:
    for inspector in (olena, piotr):
        lines = [line async for line in inspector.phone.records.find(has_conflict=True)]
        assert [line.id for line in lines] == [record]
        read = await inspector.phone.records.read(record)
        assert read is not None
        assert read.conflicts == ("remarks",)
        with pytest.raises(merestone.Conflict):
            read["remarks"]
        assert {value.author.observer for value in read.answers["remarks"] if value.author} == {"Olena", "Piotr"}
    await piotr.phone.records.resolve(piotr.key, record, "remarks", "quiet")
    await piotr.phone.records.say(piotr.key, record, SpeechKind.CONCURRENCE, text="as I saw it")
    await meet_on_loopback(olena, piotr)
    settled = await olena.phone.records.read(record)
    assert settled is not None
    assert settled["remarks"] == "quiet"
    assert any(entry.kind == "concurrence" and entry.text == "as I saw it" for entry in settled.entries)


async def hand_over(mission: Mission, olena: Inspector, piotr: Inspector, record: str) -> None:
    with mission.camp() as camp:
        report = await olena.phone.sync.meet(olena.key, by_ticket(camp.ticket))
        assert report.is_fully_synced, report
        assert report.no_receipt is None
        assert report.state.peer is not None
        assert report.state.peer.role == "camp"
        custody = await olena.phone.records.custody_of(record)
        assert custody
        assert all(line.is_at_base_camp for line in custody)
        target = by_address(camp.address)
        assert (await piotr.phone.sync.meet(piotr.key, target)).is_fully_synced


async def carry_on_a_stick(olena: Inspector, piotr: Inspector, stick: Path) -> None:
    alone = await olena.save("Only on a stick")
    written = await olena.phone.courier.write(olena.key, stick, without_originals=True)
    assert written.bytes == stick.stat().st_size
    assert (await piotr.phone.courier.inspect(stick)).maker_observer == "Olena"
    assert (await piotr.phone.courier.read(piotr.key, stick)).entries_new == 1
    assert (await piotr.phone.courier.read(piotr.key, stick)).entries_new == 0
    read = await piotr.phone.records.read(alone)
    assert read is not None
    assert read["post"] == "Only on a stick"


async def write_bag(mission: Mission, olena: Inspector, record: str, bag: Path) -> None:
    written = await olena.phone.bags.write(bag)
    assert "PASSED" in mission.audit_by_command(bag)
    judged = await merestone.audit_async(bag, mission.id)
    assert judged.verdict is merestone.Verdict.PASSED
    assert sum(1 for _ in judged.entries) == written.entries
    await the_store_says_what_the_bag_says(olena, judged)
    assert {person.observer for person in judged.signers} == {"Olena", "Piotr"}
    shown = judged.records[record]
    assert shown["remarks"] == "quiet"

    frame = await olena.phone.records.to_dataframe("inspection")
    assert set(frame["answer.post"]) == {"Bridge over the river", "Only on a stick"}
    assert len(await olena.phone.records.entries_to_dataframe()) == written.entries

    largest = max((bag / "data" / "photos").iterdir(), key=lambda file: file.stat().st_size)
    largest.chmod(0o644)
    largest.write_bytes(largest.read_bytes() + b"\0")
    forged = await merestone.audit_async(bag, mission.id)
    assert forged.verdict is merestone.Verdict.FAILED
    assert {"photo-mismatch"} <= {finding.code for finding in forged.findings}


async def the_store_says_what_the_bag_says(olena: Inspector, judged: merestone.Audit) -> None:
    by_store = {record.id: record async for record in olena.phone.records.all()}
    assert set(by_store) == {record.id for record in judged.records}
    for record in judged.records:
        other = by_store[record.id]
        assert (record.kind, record.scope) == (other.kind, other.scope)
        assert {
            key: sorted(map(repr, (value.value for value in values))) for key, values in record.answers.items()
        } == {key: sorted(map(repr, (value.value for value in values))) for key, values in other.answers.items()}
        assert {(entry.id, entry.kind, entry.standing, entry.observer) for entry in record.entries} == {
            (entry.id, entry.kind, entry.standing, entry.observer) for entry in other.entries
        }
