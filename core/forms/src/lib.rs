//! Forms in; questions, checks and leaf tables out. Pure.
