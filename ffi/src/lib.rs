//! The crossing into Kotlin, Swift and Python. Decides nothing.
