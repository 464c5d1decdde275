internal import MerestoneCrossing

struct CrossingSync: Sync {
    let phone: MerestoneCrossing.Phone
    let ends: ListeningEnds

    func meet(_ observer: ObserverKey, _ target: SyncTarget, options: SyncOptions) -> Events<SyncEvent> {
        Events {
            // Only the newest state waits for a slow reader.
            AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { reader in
                let listener = MeetingListener(reader)
                let meeting = Task {
                    do {
                        listener.end(try await meet(observer, target, options, listener))
                    } catch {
                        reader.finish(throwing: error)
                    }
                }
                reader.onTermination = { _ in meeting.cancel() }
            }
        }
    }

    func meetOnce(_ observer: ObserverKey, _ target: SyncTarget, options: SyncOptions) async throws -> SyncReport {
        try await meet(observer, target, options, nil)
    }

    func nearby(_ observer: ObserverKey, window: Duration) -> Events<NearbyDevice> {
        Events {
            AsyncThrowingStream { reader in
                let search = Task {
                    do {
                        _ = try await crossing {
                            try await phone.findNearby(
                                observer: observer.hex, forMs: window.ms, listener: SearchListener(reader))
                        }
                        reader.finish()
                    } catch {
                        reader.finish(throwing: error)
                    }
                }
                reader.onTermination = { _ in search.cancel() }
            }
        }
    }

    func answer(_ observer: ObserverKey, address: String, isAdvertised: Bool) async throws -> any Answering {
        let endsBefore = ends.soFar
        return try await crossing {
            let answering = try await phone.serve(observer: observer.hex, address: address, isAdvertised: isAdvertised)
            return CrossingAnswering(answering) { [phone, ends] in phone.isOpen() && ends.soFar == endsBefore }
        }
    }

    func networkChanged(local: String?) async throws {
        try await crossing { try await phone.networkChanged(local: local) }
    }

    private func meet(
        _ observer: ObserverKey, _ target: SyncTarget, _ options: SyncOptions, _ listener: MeetingListener?
    ) async throws -> SyncReport {
        try await crossing {
            try await SyncReport(
                phone.syncWith(
                    observer: observer.hex, target: .init(target), options: .init(options), listener: listener))
        }
    }
}

extension MerestoneCrossing.SyncTarget {
    init(_ target: SyncTarget) {
        self =
            switch target {
            case .ticket(let text): .ticket(text: text)
            case .address(let address, let transportKey): .address(address: address, transportKey: transportKey)
            case .typed(let text): .typed(text: text)
            case .nearby(let device):
                .peer(
                    peer: .init(
                        transportKey: device.transportKey, addresses: device.addresses, speaksOurs: device.speaksOurs))
            }
    }
}

extension MerestoneCrossing.SyncOptions {
    init(_ options: SyncOptions) {
        self.init(
            stay: options.stay, attemptsMax: options.attemptsMax.map(UInt32.init(of:)), originals: options.originals,
            photoBytesMax: options.photoBytesMax
        )
    }
}

extension NearbyDevice {
    init(_ line: MerestoneCrossing.NearbyLine) {
        self.init(transportKey: line.transportKey, addresses: line.addresses, speaksOurs: line.speaksOurs)
    }
}

extension SyncState {
    init(_ state: MerestoneCrossing.SyncState) {
        self.init(
            peer: state.peer.map {
                Peer(party: $0.party, observer: $0.observer, device: $0.device, role: $0.role, isCut: $0.isCut)
            },
            entriesSent: state.entriesSent, entriesReceived: state.entriesReceived, photosSent: state.photosSent,
            photosReceived: state.photosReceived, bytesSent: state.bytesSent, bytesReceived: state.bytesReceived,
            isFullySynced: state.isFullySynced
        )
    }
}

extension SyncReport {
    init(_ report: MerestoneCrossing.SyncReport) {
        self.init(
            state: SyncState(report.state), isFullySynced: report.isFullySynced,
            isSyncedAsWanted: report.isSyncedAsWanted, endCode: report.endCode, endSays: report.endSays,
            advice: report.advice, scopesNotShared: report.scopesNotShared.map(ScopeID.init),
            missingLogs: Int(report.missingLogs), missingBodies: Int(report.missingBodies),
            missingPhotos: Int(report.missingPhotos), refused: report.refused, noReceipt: report.noReceipt,
            missingHere: report.missingHere.map(Missing.init), missingThere: report.missingThere.map(Missing.init),
            photosLeftOut: report.leftOut, networkBytesSent: report.networkBytesSent,
            networkBytesReceived: report.networkBytesReceived
        )
    }
}

extension Missing {
    init(_ line: MerestoneCrossing.MissingLine) {
        self.init(
            observer: line.observer, party: line.party, device: line.device, entries: line.entries,
            bodies: line.bodies, photos: line.photos
        )
    }
}

extension Caller {
    init(_ line: MerestoneCrossing.CallerLine) {
        self.init(
            address: line.address, connections: Int(line.connections), state: SyncState(line.state),
            report: line.report.map(SyncReport.init)
        )
    }
}
