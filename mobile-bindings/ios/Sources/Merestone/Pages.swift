/// Hands the things of a paged list out one by one, and reads a page when the last one is used up.
actor Pages<Element: Sendable, Mark: Sendable> {
    private let read: @Sendable (Mark?) async throws -> ([Element], next: Mark?)
    private var page: ArraySlice<Element> = []
    private var mark: Mark?
    private var isAtEnd = false

    /// - Parameter read: reads the page at a mark, or the first one; the last one has no next
    init(_ read: @escaping @Sendable (Mark?) async throws -> ([Element], next: Mark?)) {
        self.read = read
    }

    /// The next thing; `nil` after the last.
    func next() async throws -> Element? {
        while page.isEmpty, !isAtEnd {
            let (elements, next) = try await read(mark)
            page = elements[...]
            mark = next
            isAtEnd = next == nil
        }
        return page.popFirst()
    }
}
