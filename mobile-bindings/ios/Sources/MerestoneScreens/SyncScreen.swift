import Merestone

/// Meeting another device.
public struct SyncScreenState: ScreenState, Hashable {
    /// Whether the local network is being searched.
    public var isLooking = false
    /// Devices that were found there; what they are is proved when they are met.
    public var nearby: [NearbyDevice] = []
    /// What was typed or scanned and is no ticket and no address, and why.
    public var refusal: Refusal?
    /// How far the meeting is; nothing while there is none.
    public var meeting: SyncState?
    /// What the last meeting came to.
    public var outcome: SyncOutcome?
    public var isBusy = false
    public var trouble: Trouble?

    /// Whether a device is being met.
    public var isMeeting: Bool { meeting != nil }
}

/// Finds another device and meets it; one at a time.
public final class SyncScreen: ScreenModel<SyncScreenState> {
    private let phone: any Phone
    private let observer: ObserverKey
    private var search: Intent?
    private var meeting: Intent?
    private var searches = 0
    private var meetings = 0

    /// Meets as this observer.
    public init(_ phone: any Phone, observer: ObserverKey) {
        self.phone = phone
        self.observer = observer
        super.init(SyncScreenState())
    }

    /// Looks for devices on the local network for some seconds. Looking twice begins anew.
    @discardableResult
    public func look() -> Intent {
        search?.cancel()
        searches += 1
        let number = searches
        let begun = listening {
            self.show {
                $0.isLooking = true
                $0.nearby = []
            }
            // A search that was begun anew meanwhile is the one that is shown.
            defer { if number == self.searches { self.show { $0.isLooking = false } } }
            for try await found in self.phone.sync.nearby(self.observer) where number == self.searches {
                self.show { $0.nearby = $0.nearby.filter { $0.transportKey != found.transportKey } + [found] }
            }
        }
        search = begun
        return begun
    }

    /// Meets a device that was found.
    @discardableResult
    public func meet(_ device: NearbyDevice, options: SyncOptions = SyncOptions()) -> Intent {
        meet(.nearby(device), "", options)
    }

    /// Meets by what the other device shows: the ticket of its QR code, or an address as it was typed.
    @discardableResult
    public func call(_ typed: String, options: SyncOptions = SyncOptions()) -> Intent {
        let text = typed.trimmed
        return meet(.typed(text), text, options)
    }

    /// Ends the meeting and the search. What came stays, and the next meeting goes on from there.
    public func stop() {
        search?.cancel()
        meeting?.cancel()
    }

    private func meet(_ target: SyncTarget, _ typed: String, _ options: SyncOptions) -> Intent {
        meeting?.cancel()
        meetings += 1
        let number = meetings
        let begun = beside {
            self.show {
                $0.meeting = .nothingYet
                $0.outcome = nil
                $0.refusal = nil
            }
            defer { if number == self.meetings { self.show { $0.meeting = nil } } }
            do {
                for try await event in self.phone.sync.meet(self.observer, target, options: options)
                where number == self.meetings {
                    self.heard(event)
                }
            } catch MerestoneError.refused(let code, let reason) {
                self.show { $0.refusal = Refusal(typed: typed, message: refusalMessage(code, reason)) }
            }
        }
        meeting = begun
        return begun
    }

    private func heard(_ event: SyncEvent) {
        switch event {
        case .progress(let state): show { $0.meeting = state }
        case .ended(let report): show { $0.outcome = report.outcome }
        }
    }
}

extension SyncState {
    fileprivate static let nothingYet = SyncState(
        peer: nil, entriesSent: 0, entriesReceived: 0, photosSent: 0, photosReceived: 0, bytesSent: 0, bytesReceived: 0,
        isFullySynced: false)
}
