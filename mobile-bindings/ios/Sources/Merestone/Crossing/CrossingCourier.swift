import Foundation
internal import MerestoneCrossing

struct CrossingCourier: Courier {
    let phone: MerestoneCrossing.Phone

    func write(_ observer: ObserverKey, _ order: CourierOrder) async throws -> CourierWritten {
        try await crossing {
            try await CourierWritten(phone.writeCourier(observer: observer.hex, order: .init(order)))
        }
    }

    func inspect(_ file: URL) async throws -> CourierContents {
        try await crossing { try await CourierContents(phone.inspectCourier(path: file.path)) }
    }

    func read(_ observer: ObserverKey, _ file: URL) async throws -> CourierRead {
        try await crossing { try await CourierRead(phone.readCourier(observer: observer.hex, path: file.path)) }
    }
}

struct CrossingBags: Bags {
    let phone: MerestoneCrossing.Phone

    func write(to folder: URL, scopes: [ScopeID]?) async throws -> BagWritten {
        try await crossing {
            try await BagWritten(phone.writeBag(path: folder.path, scopes: scopes?.map(\.hex)))
        }
    }
}

extension MerestoneCrossing.CourierOrderLine {
    init(_ order: CourierOrder) {
        self.init(
            path: order.file.path, madeFor: order.madeFor?.hex, withoutOriginals: order.withoutOriginals,
            bytesMax: order.bytesMax
        )
    }
}

extension CourierWritten {
    init(_ line: MerestoneCrossing.CourierWrittenLine) {
        self.init(
            bytes: line.bytes, statements: line.statements, entries: line.entries, blobs: line.blobs,
            leftOut: line.leftOut, damaged: line.damaged
        )
    }
}

extension CourierContents {
    init(_ line: MerestoneCrossing.CourierLine) {
        self.init(
            makerObserver: line.makerObserver, makerDevice: line.makerDevice, isMakerCut: line.isMakerCut,
            scopes: line.scopes.map(ScopeID.init), bytes: line.bytes, statements: line.statements,
            entries: line.entries, blobs: UInt64(line.blobs), leftOut: line.leftOut, damaged: UInt64(line.damaged)
        )
    }
}

extension CourierRead {
    init(_ line: MerestoneCrossing.CourierReadLine) {
        self.init(
            entriesNew: line.entriesNew, statementsNew: line.statementsNew, blobsNew: line.blobsNew,
            entriesOfOtherScopes: line.entriesOfOtherScopes, refused: line.refused
        )
    }
}

extension BagWritten {
    init(_ line: MerestoneCrossing.BagLine) {
        self.init(
            logs: line.logs, entries: line.entries, photos: line.photos, notes: line.notes, leaves: line.leaves,
            files: line.files, bytes: line.bytes, leftOut: line.leftOut
        )
    }
}
