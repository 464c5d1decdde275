//! Carrying frames between two peers over QUIC.
