package org.merestone

/** Takes the library's log. Lines hold codes and counts: never names, ids of people, keys, passphrases or answers. */
public fun interface LogSink {
    /** Takes one line without its end. Called on worker threads; what it throws is ignored. */
    public fun log(level: LogLevel, line: String)
}

/** How much a line of the log matters. */
public enum class LogLevel {
    /** A mistake of ours, or the disk failed. */
    ERROR,

    /** Something was refused or did not work. */
    WARNING,

    /** What was done. */
    INFO,
}
