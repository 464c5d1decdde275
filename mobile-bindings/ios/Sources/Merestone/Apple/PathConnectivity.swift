#if canImport(Network)
    import Foundation
    import Network

    /// Tells what kind of link the system has chosen, and when it chooses another.
    public final class PathConnectivity: ConnectivityProvider, @unchecked Sendable {
        private let monitor = NWPathMonitor()
        private let lock = NSLock()
        private var newest: LinkHint?

        /// - Parameter changed: called on a queue of its own for each new path; pass it on to ``Sync/networkChanged(local:)``,
        ///   so that running meetings move over
        public init(changed: @escaping @Sendable (LinkHint) -> Void = { _ in }) {
            monitor.pathUpdateHandler = { [weak self] path in
                let hint = LinkHint(
                    isMetered: path.isExpensive || path.isConstrained,
                    isWifi: path.usesInterfaceType(.wifi) || path.usesInterfaceType(.wiredEthernet))
                self?.lock.withLock { self?.newest = hint }
                changed(hint)
            }
            monitor.start(queue: DispatchQueue(label: "org.merestone.path"))
        }

        deinit {
            monitor.cancel()
        }

        /// The newest path. Before the system told of one, the link counts as metered.
        public func hint() throws -> LinkHint {
            lock.withLock { newest } ?? LinkHint(isMetered: true, isWifi: false)
        }
    }
#endif
