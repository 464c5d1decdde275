import Foundation

/// A QR code without its quiet zone, which is 4 modules wide and must be drawn light.
public struct QrCode: Hashable, Sendable {
    /// How many modules a side has, 21 to 177.
    public let modules: Int

    private let dark: Data

    init(modules: Int, dark: Data) {
        self.modules = modules
        self.dark = dark
    }

    /// A code of given modules, row by row, for previews and fakes; `nil` if their number is no square.
    public init?(dark: [Bool]) {
        let modules = Int(Double(dark.count).squareRoot())
        guard modules * modules == dark.count else { return nil }
        self.init(modules: modules, dark: Data(dark.map { $0 ? 1 : 0 }))
    }

    /// Whether a module is dark. `x` counts from the left, `y` from the top; outside of the code everything is light.
    public func isDark(x: Int, y: Int) -> Bool {
        let inside = 0..<modules
        guard inside.contains(x), inside.contains(y) else { return false }
        return dark[dark.startIndex + y * modules + x] != 0
    }
}
