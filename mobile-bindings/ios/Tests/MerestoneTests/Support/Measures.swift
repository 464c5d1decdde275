import Foundation

/// What a process holds, as the system says.
enum Measures {
    /// Resident memory in KiB, at most so far if `peak`; `nil` on systems without `/proc`.
    static func residentKib(of process: Int32 = getpid(), peak: Bool = false) -> Int? {
        let name = peak ? "VmHWM:" : "VmRSS:"
        let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
}
