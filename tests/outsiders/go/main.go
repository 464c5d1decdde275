// Command outsiders judges one piece of a ledger with golang.org/x/mod/sumdb and filippo.io/torchwood.
//
//	outsiders CHECK DIR
//
// DIR holds what tests/tests/outsiders.rs wrote. Exit 0: accepted. Exit 1: refused, the reason on standard error.
// Nothing of the formats is decided here: whatever is wrong, a library must say.
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: outsiders CHECK DIR")
		os.Exit(64)
	}
	checks := map[string]func(folder) error{
		"note":        checkNote,
		"inclusion":   checkInclusion,
		"consistency": checkConsistency,
		"tiles":       checkTiles,
		"proof":       checkProof,
		"cosign":      cosign,
		"fetch":       fetch,
		"witness":     witness,
	}
	check, ok := checks[os.Args[1]]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such check:", os.Args[1])
		os.Exit(64)
	}
	if err := check(folder(os.Args[2])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// folder is what one check reads.
type folder string

func (f folder) read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
	if err != nil {
		// A missing file is a fault of the test, not a refusal.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(74)
	}
	return data
}

func (f folder) lines(name string) []string { return strings.Fields(string(f.read(name))) }

func (f folder) number(name string) (int64, error) {
	return strconv.ParseInt(strings.TrimSpace(string(f.read(name))), 10, 64)
}

func (f folder) hashes(name string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range f.lines(name) {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// verifiers are the ledger's and those of all witnesses.
func (f folder) verifiers() ([]note.Verifier, error) {
	ledger, err := note.NewVerifier(f.lines("ledger.vkey")[0])
	if err != nil {
		return nil, err
	}
	all := []note.Verifier{ledger}
	for _, vkey := range f.lines("witnesses.vkeys") {
		witness, err := torchwood.NewCosignatureVerifier(vkey)
		if err != nil {
			return nil, err
		}
		all = append(all, witness)
	}
	return all, nil
}

// tree is the checkpoint in a note that the ledger signed.
func (f folder) tree(name string) (torchwood.Checkpoint, error) {
	verifiers, err := f.verifiers()
	if err != nil {
		return torchwood.Checkpoint{}, err
	}
	opened, err := note.Open(f.read(name), note.VerifierList(verifiers[0]))
	if err != nil {
		return torchwood.Checkpoint{}, err
	}
	return torchwood.ParseCheckpoint(opened.Text)
}

// checkNote wants the ledger's signature and a cosignature of every witness.
func checkNote(f folder) error {
	verifiers, err := f.verifiers()
	if err != nil {
		return err
	}
	opened, err := note.Open(f.read("note"), note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != len(verifiers) || len(opened.UnverifiedSigs) != 0 {
		return fmt.Errorf("%d of %d keys signed, %d lines are of others", len(opened.Sigs), len(verifiers), len(opened.UnverifiedSigs))
	}
	for _, signature := range opened.Sigs[1:] {
		if _, err := torchwood.CosignatureTimestamp(signature); err != nil {
			return err
		}
	}
	_, err = torchwood.ParseCheckpoint(opened.Text)
	return err
}

func checkInclusion(f folder) error {
	tree, err := f.tree("note")
	if err != nil {
		return err
	}
	index, err := f.number("index")
	if err != nil {
		return err
	}
	proof, err := f.hashes("inclusion")
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(f.read("leaf")))
}

func checkConsistency(f folder) error {
	earlier, err := f.tree("earlier")
	if err != nil {
		return err
	}
	tree, err := f.tree("note")
	if err != nil {
		return err
	}
	proof, err := f.hashes("consistency")
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash)
}

// files reads tiles below a folder.
type files folder

func (f files) ReadTiles(_ context.Context, tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(f), filepath.FromSlash(torchwood.TilePath(tile))))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadEndpoint(context.Context, string) ([]byte, error) {
	return nil, fmt.Errorf("not wanted here")
}

// checkTiles makes the proofs from our tiles and finds the leaf in our bundle.
func checkTiles(f folder) error {
	tree, err := f.tree("note")
	if err != nil {
		return err
	}
	index, err := f.number("index")
	if err != nil {
		return err
	}
	reader := torchwood.TileHashReaderWithContext(context.Background(), tree.Tree, files(f))
	proof, err := tlog.ProveRecord(tree.N, index, reader)
	if err != nil {
		return err
	}
	if ours, err := f.hashes("inclusion"); err != nil || fmt.Sprint(ours) != fmt.Sprint([]tlog.Hash(proof)) {
		return fmt.Errorf("our inclusion proof is another one (%v)", err)
	}
	earlier, err := f.tree("earlier")
	if err != nil {
		return err
	}
	grown, err := tlog.ProveTree(tree.N, earlier.N, reader)
	if err != nil {
		return err
	}
	if ours, err := f.hashes("consistency"); err != nil || fmt.Sprint(ours) != fmt.Sprint([]tlog.Hash(grown)) {
		return fmt.Errorf("our consistency proof is another one (%v)", err)
	}
	width := min(torchwood.TileWidth, tree.N-index/torchwood.TileWidth*torchwood.TileWidth)
	bundle := tlog.Tile{H: torchwood.TileHeight, L: -1, N: index / torchwood.TileWidth, W: int(width)}
	rest := f.read(torchwood.TilePath(bundle))
	for at := int64(0); at < width; at++ {
		var leaf []byte
		if leaf, rest, err = torchwood.ReadTileEntry(rest); err != nil {
			return err
		}
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, bundle.N*torchwood.TileWidth+at)})
		if err != nil {
			return err
		}
		if hashes[0] != tlog.RecordHash(leaf) {
			return fmt.Errorf("leaf %d of the bundle is not that of the tile", at)
		}
		if at == index%torchwood.TileWidth && !bytes.Equal(leaf, f.read("leaf")) {
			return fmt.Errorf("another leaf at %d", index)
		}
	}
	if len(rest) != 0 {
		return fmt.Errorf("%d bytes after the bundle", len(rest))
	}
	return nil
}

// checkProof wants the ledger's signature and three witnesses under a proof file.
func checkProof(f folder) error {
	verifiers, err := f.verifiers()
	if err != nil {
		return err
	}
	var witnesses []torchwood.Policy
	for _, verifier := range verifiers[1:] {
		witnesses = append(witnesses, torchwood.SingleVerifierPolicy(verifier))
	}
	policy := torchwood.ThresholdPolicy(3,
		torchwood.OriginPolicy(verifiers[0].Name()),
		torchwood.SingleVerifierPolicy(verifiers[0]),
		torchwood.ThresholdPolicy(3, witnesses...))
	return torchwood.VerifyProof(policy, tlog.RecordHash(f.read("leaf")), f.read("proof.tlog-proof"))
}

// cosign prints the line of a witness whose seed is in the folder.
func cosign(f folder) error {
	seed, err := base64.StdEncoding.DecodeString(f.lines("seed")[0])
	if err != nil {
		return err
	}
	signer, err := torchwood.NewCosignatureSigner("outsider.example/w1", ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return err
	}
	text, _, _ := strings.Cut(string(f.read("note")), "\n\n")
	signed, err := note.Sign(&note.Note{Text: text + "\n"}, signer)
	if err != nil {
		return err
	}
	_, lines, _ := strings.Cut(string(signed), "\n\n")
	fmt.Print(lines)
	return nil
}
