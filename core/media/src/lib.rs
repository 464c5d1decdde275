//! Photos: limits, metadata, orientation, renditions. Input is hostile.
