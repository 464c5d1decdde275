package org.merestone.bridge

import org.merestone.AnswerChange
import org.merestone.EntryId
import org.merestone.FormHash
import org.merestone.ObserverKey
import org.merestone.PageMark
import org.merestone.Person
import org.merestone.Photo
import org.merestone.PhotoHash
import org.merestone.RecordId
import org.merestone.RecordQuery
import org.merestone.RecordSheet
import org.merestone.RecordState
import org.merestone.RecordSummary
import org.merestone.RecordsPage
import org.merestone.ScopeId
import org.merestone.SheetAnswer
import org.merestone.SignedAnswer
import org.merestone.Standing
import org.merestone.Step
import org.merestone.crossing.AnswerLine
import org.merestone.crossing.PersonLine
import org.merestone.crossing.PhotoLine
import org.merestone.crossing.RecordLine
import org.merestone.crossing.RecordStateKind
import org.merestone.crossing.StepLine
import java.time.Instant
import org.merestone.crossing.RecordQuery as RawQuery
import org.merestone.crossing.RecordSheet as RawSheet
import org.merestone.crossing.RecordsPage as RawPage

internal fun RecordQuery.raw() = RawQuery(
    scope = scope?.hex,
    kind = kind,
    text = text,
    state = when (state) {
        null -> null
        RecordState.WHOLE -> RecordStateKind.WHOLE
        RecordState.PARTIAL -> RecordStateKind.PARTIAL
        RecordState.UNREADABLE -> RecordStateKind.UNREADABLE
    },
    hasConflict = hasConflict,
    isWithdrawn = isWithdrawn,
    sinceMs = since?.toEpochMilli(),
)

internal fun RawPage.told() = RecordsPage(lines.map { it.told() }, next?.let(::PageMark), isBehind)

private fun RecordLine.told() = RecordSummary(
    id = RecordId(id),
    scope = ScopeId(scope),
    kind = kind,
    title = title,
    observer = observer,
    state = when (state) {
        RecordStateKind.WHOLE -> RecordState.WHOLE
        RecordStateKind.PARTIAL -> RecordState.PARTIAL
        RecordStateKind.UNREADABLE -> RecordState.UNREADABLE
    },
    hasConflict = hasConflict,
    isWithdrawn = isWithdrawn,
    entries = entries.count(),
    photos = photos.count(),
    updated = Instant.ofEpochMilli(updatedMs),
)

internal fun RawSheet.told() = RecordSheet(
    id = RecordId(id),
    scope = ScopeId(scope),
    kind = kind,
    form = form?.let(::FormHash),
    creator = creator?.told(),
    heads = heads.map(::EntryId),
    isWithdrawn = isWithdrawn,
    answers = answers.map { it.told() },
    photos = photos.map { it.told() },
    standings = standings.map { Standing(EntryId(it.entry), it.code, it.isApplied) },
)

private fun AnswerLine.told() = SheetAnswer(
    key = key,
    values = values.map { SignedAnswer(it.value.told(), EntryId(it.entry), it.standing, it.observer, it.shown) },
    label = label,
)

private fun PersonLine.told() = Person(ObserverKey(key), observer, device, party?.toLong(), partyName, role)

private fun PhotoLine.told() = Photo(
    row = row,
    entry = EntryId(entry),
    original = PhotoHash(original),
    bytes = bytes.size(),
    mediaType = mediaType,
    thumbnail = thumbnail?.let(::PhotoHash),
    preview = preview?.let(::PhotoHash),
    captions = captions,
)

internal fun StepLine.told() = Step(
    entry = EntryId(entry),
    seq = seq.size(),
    kind = kind,
    standing = standing,
    by = by.told(),
    refs = refs.map(::EntryId),
    wall = wallMs?.let(Instant::ofEpochMilli),
    uptimeMs = uptimeMs?.size(),
    offsetMin = offsetMin?.toInt(),
    clockSource = clockSource?.told(),
    place = place?.told(),
    post = post,
    changes = changes.map { change ->
        AnswerChange(
            key = change.key,
            before = change.before.map { it.told() },
            after = change.after.told(),
            settlesConflict = change.settlesConflict,
            label = change.label,
            beforeShown = change.beforeShown,
            afterShown = change.afterShown,
        )
    },
    text = text,
    reason = reason?.toLong(),
    photos = photos.count(),
)
