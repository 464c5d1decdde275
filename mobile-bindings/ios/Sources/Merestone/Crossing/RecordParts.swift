import Foundation
internal import MerestoneCrossing

extension RecordSheet {
    init(_ sheet: MerestoneCrossing.RecordSheet) {
        self.init(
            id: RecordID(sheet.id), scope: ScopeID(sheet.scope), kind: sheet.kind, form: sheet.form.map(FormHash.init),
            creator: sheet.creator.map(Person.init), heads: sheet.heads.map(EntryID.init),
            isWithdrawn: sheet.isWithdrawn, answers: sheet.answers.map(SheetAnswer.init),
            photos: sheet.photos.map(Photo.init),
            standings: sheet.standings.map { Standing(entry: EntryID($0.entry), code: $0.code, isApplied: $0.isApplied) }
        )
    }
}

extension Person {
    init(_ line: MerestoneCrossing.PersonLine) {
        self.init(
            key: ObserverKey(line.key), observer: line.observer, device: line.device, party: line.party,
            partyName: line.partyName, role: line.role
        )
    }
}

extension SheetAnswer {
    init(_ line: MerestoneCrossing.AnswerLine) {
        self.init(
            key: line.key, label: line.label,
            values: line.values.map {
                SignedAnswer(
                    answer: Answer($0.value), shown: $0.shown, entry: EntryID($0.entry), standing: $0.standing,
                    observer: $0.observer)
            }
        )
    }
}

extension Photo {
    init(_ line: MerestoneCrossing.PhotoLine) {
        self.init(
            row: line.row, entry: EntryID(line.entry), original: PhotoHash(line.original), bytes: line.bytes,
            mediaType: line.mediaType, thumbnail: line.thumbnail.map(PhotoHash.init),
            preview: line.preview.map(PhotoHash.init), captions: line.captions
        )
    }
}

extension Step {
    init(_ line: MerestoneCrossing.StepLine) {
        self.init(
            entry: EntryID(line.entry), seq: line.seq, kind: line.kind, standing: line.standing, by: Person(line.by),
            refs: line.refs.map(EntryID.init), wall: line.wallMs.map(Date.init(ms:)), uptimeMs: line.uptimeMs,
            offsetMin: line.offsetMin.map(Int.init), clockSource: line.clockSource.map(ClockSource.init),
            place: line.place.map(Place.init), post: line.post, changes: line.changes.map(AnswerChange.init),
            text: line.text, reason: line.reason, photos: Int(line.photos)
        )
    }
}

extension AnswerChange {
    init(_ line: MerestoneCrossing.ChangedLine) {
        self.init(
            key: line.key, label: line.label, before: line.before.map(Answer.init), beforeShown: line.beforeShown,
            after: Answer(line.after), afterShown: line.afterShown, settlesConflict: line.settlesConflict
        )
    }
}

extension MerestoneCrossing.SpeechOrder {
    init(_ speech: Speech) {
        self.init(
            record: speech.record.hex, about: speech.about.map(\.hex), kind: .init(speech.kind), reason: speech.reason,
            text: speech.text
        )
    }
}

extension MerestoneCrossing.SpeechKind {
    init(_ kind: SpeechKind) {
        self =
            switch kind {
            case .receipt: .receipt
            case .hostComment: .hostComment
            case .concurrence: .concurrence
            case .objection: .objection
            case .dissent: .dissent
            case .ruling: .ruling
            case .coAuthorship: .coAuthorship
            }
    }
}
