// Judges what we write with code that nobody here wrote: notes, proofs, tiles and cosignatures of C2SP.
module merestone.test/outsiders

go 1.25.0

// Reads tiles, proof files and cosignatures; the newest that Go 1.26 builds.
require filippo.io/torchwood v0.9.0

// Go's own checksum database: notes and trees.
require golang.org/x/mod v0.31.0

require (
	golang.org/x/crypto v0.46.0 // indirect
	golang.org/x/sync v0.19.0 // indirect
)
