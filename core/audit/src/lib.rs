//! The auditor's command: one file in, a verdict out, offline.
