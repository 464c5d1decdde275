import Foundation

/// What this process holds, as the system says.
enum Measures {
    /// Resident memory in KiB, at most so far if `peak`; `nil` on systems without `/proc`.
    static func residentKib(peak: Bool = false) -> Int? {
        let name = peak ? "VmHWM:" : "VmRSS:"
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
}
