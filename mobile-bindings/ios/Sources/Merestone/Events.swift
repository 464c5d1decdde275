/// What happens, one after the other, for `for try await`.
///
/// Leaving the loop, or cancelling its task, ends what makes the events.
public struct Events<Element: Sendable>: AsyncSequence, Sendable {
    /// Starts what makes the events, and hands them over one by one.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var stream: AsyncThrowingStream<Element, any Error>.Iterator

        /// The next event; `nil` after the last.
        public mutating func next() async throws -> Element? {
            try await stream.next()
        }
    }

    private let start: @Sendable () -> AsyncThrowingStream<Element, any Error>

    /// Events of a stream that is made anew by each loop.
    public init(_ start: @escaping @Sendable () -> AsyncThrowingStream<Element, any Error>) {
        self.start = start
    }

    /// Begins to listen.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: start().makeAsyncIterator())
    }
}
