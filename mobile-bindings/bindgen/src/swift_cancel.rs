//! Cancellation for the generated Swift.
//!
//! The generator's Swift waits for a Rust future whatever becomes of the task that asked, while its Kotlin and Python
//! drop the future: an inspector who leaves the sync screen would keep the link open.
//! The C header has all that is needed, so the one waiting helper is rewritten to use it.
//! Every piece of the template that is touched must be there exactly once, else the text is refused: a newer generator
//! asks for a new look at this file.

/// The piece of the waiting helper that is replaced, and by what.
const HELPER: [(&str, &str); 4] = [
    (
        "    freeFunc: (UInt64) -> (),\n",
        "    cancelFunc: (@Sendable (UInt64) -> ())? = nil,\n    freeFunc: (UInt64) -> (),\n",
    ),
    (
        "    defer {\n        freeFunc(rustFuture)\n    }\n    var pollResult: Int8;\n    repeat {\n",
        "    let cancelling = MerestoneFutureCancelling(of: rustFuture, by: cancelFunc)\n    \
         defer {\n        cancelling.end()\n        freeFunc(rustFuture)\n    }\n    \
         await withTaskCancellationHandler {\n    var pollResult: Int8;\n    repeat {\n",
    ),
    (
        "    } while pollResult != UNIFFI_RUST_FUTURE_POLL_READY\n",
        "    } while pollResult != UNIFFI_RUST_FUTURE_POLL_READY\n    } onCancel: {\n        cancelling.cancel()\n    }\n",
    ),
    ("            fatalError(\"Cancellation not supported yet\")\n", "            throw CancellationError()\n"),
];

/// Cancels a future at most until it is freed: the handler of a cancelled task may run on any thread.
const CANCELLING: &str = "
fileprivate final class MerestoneFutureCancelling: @unchecked Sendable {
    private let lock = NSLock()
    private let cancelFunc: (@Sendable (UInt64) -> ())?
    private var rustFuture: UInt64?

    init(of rustFuture: UInt64, by cancelFunc: (@Sendable (UInt64) -> ())?) {
        self.rustFuture = rustFuture
        self.cancelFunc = cancelFunc
    }

    func cancel() {
        lock.lock()
        defer { lock.unlock() }
        if let rustFuture { cancelFunc?(rustFuture) }
    }

    func end() {
        lock.lock()
        defer { lock.unlock() }
        rustFuture = nil
    }
}
";

/// `generated`, with calls that end their Rust future when the Swift task is cancelled and then throw
/// `CancellationError`.
///
/// A call that cannot throw has no way to say that it was cancelled, so it still runs to its end.
/// Code without async calls stays as it is.
///
/// # Errors
/// Names the piece of the generator's template that is not there once.
pub(crate) fn with_cancellation(generated: &str) -> Result<String, String> {
    let mut text = generated.to_owned();
    if !generated.contains(" async ") {
        return Ok(text);
    }
    for (old, new) in HELPER {
        if text.matches(old).count() != 1 {
            return Err(format!("the generator's Swift changed: {old:?} is not there once"));
        }
        text = text.replacen(old, new, 1);
    }
    let calls = cancellable_calls(&text);
    Ok(calls + CANCELLING)
}

/// The text with a `cancelFunc` in front of the `freeFunc` of every call that can throw.
fn cancellable_calls(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 50);
    let mut can_throw = false;
    for line in text.split_inclusive('\n') {
        if line.contains("await uniffiRustCallAsync(") {
            can_throw = !line.contains("try!");
        }
        if can_throw && let Some(free) = line.trim().strip_prefix("freeFunc: ffi_") {
            let cancel = free.replacen("_rust_future_free_", "_rust_future_cancel_", 1);
            let cancel = cancel.trim_end_matches(',');
            out.push_str(&format!("            cancelFunc: {{ ffi_{cancel}($0) }},\n"));
        }
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::with_cancellation;

    const GENERATED: &str = "
        case CALL_CANCELLED:
            fatalError(\"Cancellation not supported yet\")
fileprivate func uniffiRustCallAsync<F, T>(
    freeFunc: (UInt64) -> (),
) async throws -> T {
    let rustFuture = rustFutureFunc()
    defer {
        freeFunc(rustFuture)
    }
    var pollResult: Int8;
    repeat {
    } while pollResult != UNIFFI_RUST_FUTURE_POLL_READY
}
        try  await uniffiRustCallAsync(
            freeFunc: ffi_merestone_ffi_rust_future_free_u64,
        try!  await uniffiRustCallAsync(
            freeFunc: ffi_merestone_ffi_rust_future_free_void,
";

    #[test]
    fn calls_that_can_throw_cancel_their_future_and_others_do_not() {
        let text = with_cancellation(GENERATED).expect("the template as the generator has it");
        assert!(text.contains("cancelFunc: { ffi_merestone_ffi_rust_future_cancel_u64($0) },\n"), "{text}");
        assert!(!text.contains("rust_future_cancel_void"), "a call that cannot throw was made cancellable: {text}");
        assert!(text.contains("throw CancellationError()") && text.contains("onCancel"), "{text}");
    }

    #[test]
    fn a_template_that_changed_is_refused_and_named() {
        for piece in ["freeFunc: (UInt64) -> (),", "Cancellation not supported yet", "var pollResult", "} while"] {
            let changed = GENERATED.replacen(piece, "something else", 1);
            assert!(with_cancellation(&changed).is_err(), "{piece} went unnoticed");
        }
        assert!(with_cancellation(&GENERATED.repeat(2)).is_err(), "a second helper went unnoticed");
    }
}
