// Everything that knows the generated code lies in this folder: another generator asks for changes here and nowhere else.
internal import MerestoneCrossing

/// Makes a call of the generated code, with its errors as ours.
func crossing<T: Sendable>(_ call: @Sendable () async throws -> T) async throws -> T {
    do {
        return try await call()
    } catch {
        throw translated(error)
    }
}

/// An error of the generated code as ours. Cancellation stays what it is.
func translated(_ error: any Error) -> any Error {
    switch error {
    case let error as MerestoneCrossing.PhoneError: MerestoneError(error)
    case is CancellationError, is MerestoneError: error
    // A panic, or a fault of the generated code. Its text is not ours, so it is not repeated.
    default: MerestoneError.internal(reason: "the library failed unexpectedly (\(type(of: error)))")
    }
}

extension MerestoneError {
    init(_ error: MerestoneCrossing.PhoneError) {
        self =
            switch error {
            case .Locked(let reason): .locked(reason: reason)
            case .NotEnrolled(let isCut, let reason): .notEnrolled(isCut: isCut, reason: reason)
            case .NotThere(let reason): .notThere(reason: reason)
            case .Refused(let code, let reason): .refused(code: code, reason: reason)
            case .Storage(let fault, let reason): .storage(StorageFault(fault), reason: reason)
            case .Unreachable(let code, let isWorthRetrying, let reason):
                .unreachable(code: code, isWorthRetrying: isWorthRetrying, reason: reason)
            case .Provider(let isGone, let reason): .provider(isGone: isGone, reason: reason)
            case .Closed(let isSuspended, let reason): .closed(isPaused: isSuspended, reason: reason)
            case .Internal(let reason): .internal(reason: reason)
            }
    }
}

extension StorageFault {
    init(_ fault: MerestoneCrossing.StorageFault) {
        self =
            switch fault {
            case .full: .full
            case .damaged: .damaged
            case .inUse: .inUse
            case .newer: .newer
            case .failed: .failed
            }
    }
}

extension UInt32 {
    /// A count or index of ours; what cannot be one is taken for the nearest that can.
    init(of number: Int) {
        self.init(clamping: number)
    }
}

extension Duration {
    /// Whole milliseconds; what is too long or negative is taken for the nearest that is not.
    var ms: UInt32 {
        let (seconds, attoseconds) = components
        let (ms, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000)
        return isTooLong ? (seconds < 0 ? 0 : .max) : UInt32(clamping: ms + attoseconds / 1_000_000_000_000_000)
    }
}
