#if canImport(UIKit) && os(iOS)
    import Foundation
    import SwiftUI
    import UIKit

    /// Background time by `beginBackgroundTask`. Not for app extensions, which have none.
    @available(iOSApplicationExtension, unavailable)
    public struct ApplicationBackgroundTime: BackgroundTime {
        /// The time of the running app.
        public init() {}

        public func hold() async -> any BackgroundHold {
            await BackgroundTask.begun()
        }
    }

    @available(iOSApplicationExtension, unavailable)
    private final class BackgroundTask: BackgroundHold, @unchecked Sendable {
        private let lock = NSLock()
        private var id = UIBackgroundTaskIdentifier.invalid

        @MainActor
        static func begun() -> BackgroundTask {
            let task = BackgroundTask()
            // Not given back when it expires, the app would be ended.
            let id = UIApplication.shared.beginBackgroundTask(withName: "merestone-pause") { task.end() }
            task.lock.withLock { task.id = id }
            return task
        }

        func end() {
            let id = lock.withLock {
                defer { self.id = .invalid }
                return self.id
            }
            guard id != .invalid else { return }
            Task { @MainActor in UIApplication.shared.endBackgroundTask(id) }
        }
    }

    extension PhoneLifecycle.Phase {
        /// The phase of a scene: `.onChange(of: scenePhase) { Task { await lifecycle.enter(.init($0)) } }`.
        public init(_ phase: ScenePhase) {
            switch phase {
            case .active: self = .active
            case .inactive: self = .inactive
            case .background: self = .background
            @unknown default: self = .inactive
            }
        }
    }
#endif
