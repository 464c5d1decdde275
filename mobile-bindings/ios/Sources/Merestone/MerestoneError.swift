/// What went wrong, by what an app can do about it.
///
/// The case and its values are for the app; `reason` is for people who look after the app, in English. It holds no passphrase
/// and no secret key, but it may name a file, a host or an id, a key's among them, and it holds what a keychain of the app's
/// own gives as its reason: keep it out of crash reports.
/// A cancelled task gets `CancellationError` instead.
public enum MerestoneError: Error, Hashable, Sendable {
    /// The observer's key is locked: ask for the passphrase, or unlock the keychain, and call again.
    case locked(reason: String)
    /// The observer may not sign this.
    ///
    /// `isCut` tells whether the party cut the key off; if not, it has no certificate here yet, none that grants this, or it
    /// has begun as many logs as it can.
    case notEnrolled(isCut: Bool, reason: String)
    /// What was named is not on this phone.
    case notThere(reason: String)
    /// What was handed over cannot be taken. Nothing changed and nothing was lost.
    ///
    /// `code` is stable, for choosing what to say.
    case refused(code: String, reason: String)
    /// The disk did not do what it should. What was saved before is sound, unless the fault is ``StorageFault/damaged``.
    case storage(StorageFault, reason: String)
    /// The other device was not reached or not understood.
    ///
    /// `isWorthRetrying` tells whether the same call may go through later without anything being changed.
    case unreachable(code: String, isWorthRetrying: Bool, reason: String)
    /// The app's own keychain, clock or other provider failed.
    ///
    /// `isGone` tells whether the key is gone for good; if not, the call may be repeated.
    case provider(isGone: Bool, reason: String)
    /// The phone was closed, wiped or paused before the call or during it.
    ///
    /// `isPaused` tells whether ``Phone/resume()`` makes it work again.
    case closed(isPaused: Bool, reason: String)
    /// A mistake of ours. The store is sound; please report it with the reason.
    case `internal`(reason: String)

    /// One sentence without a full stop, for a log or a developer.
    public var reason: String {
        switch self {
        case .locked(let reason), .notEnrolled(_, let reason), .notThere(let reason), .refused(_, let reason),
            .storage(_, let reason), .unreachable(_, _, let reason), .provider(_, let reason), .closed(_, let reason),
            .internal(let reason):
            return reason
        }
    }
}

/// What the disk did.
public enum StorageFault: Hashable, Sendable {
    /// It is full; nothing of this call was kept.
    case full
    /// Bytes are not what was written. What other devices have comes back with the next sync.
    case damaged
    /// Another process, or another ``Phone`` of this one, has the store open.
    case inUse
    /// A newer version of the library wrote it: update the app.
    case newer
    /// Anything else, for example a folder that cannot be written: open the phone again.
    case failed
}
