//! Stories, vectors, loopback, house rules and figures across rooms.
