/// The answer to one question.
///
/// Dates, times, decimals, choices and places are texts in the form's own notation: `2026-03-02`, `12.50`, `bus car`.
public enum Answer: Hashable, Sendable {
    /// Asked and left empty.
    case blank
    /// Yes or no.
    case yesNo(Bool)
    /// A whole number.
    case number(Int64)
    /// Any text. It is normalised when it is signed (Unicode NFC, without invisible direction marks), so what comes back
    /// may differ in its code points from what was given.
    case text(String)
}
