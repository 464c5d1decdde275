//! Base camp and the merestone command.
