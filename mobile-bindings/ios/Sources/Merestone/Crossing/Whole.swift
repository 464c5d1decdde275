/// Lines that are asked for at once: as many as the library gives.
let linesAtOnce: UInt32 = 1_000

/// A whole list of which one call gives a part: `part` gives the lines from a place on, and fewer only at the end.
func whole<Line>(_ part: (UInt32) async throws -> [Line]) async throws -> [Line] {
    var all: [Line] = []
    while true {
        let lines = try await part(UInt32(all.count))
        all += lines
        if lines.count < linesAtOnce { return all }
    }
}
