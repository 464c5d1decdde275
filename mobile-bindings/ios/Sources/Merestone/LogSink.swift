/// Takes the library's log. Lines hold codes and counts: never names, ids of people, keys, passphrases or answers.
public protocol LogSink: AnyObject, Sendable {
    /// Takes one line without its end. Called on worker threads.
    func log(_ level: LogLevel, _ line: String)
}

/// How much a line of the log matters.
public enum LogLevel: Hashable, Sendable {
    /// Something failed.
    case error
    /// Something was refused or did not work.
    case warning
    /// What was done.
    case info
}
