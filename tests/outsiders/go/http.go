package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// fetch reads the ledger at the URL in the folder with torchwood's client: checkpoint, tiles, every leaf.
func fetch(f folder) error {
	ledger, err := note.NewVerifier(f.lines("ledger.vkey")[0])
	if err != nil {
		return err
	}
	fetcher, err := torchwood.NewTileFetcher(f.lines("url")[0])
	if err != nil {
		return err
	}
	shown, err := fetcher.ReadEndpoint(context.Background(), "checkpoint")
	if err != nil {
		return err
	}
	opened, err := note.Open(shown, note.VerifierList(ledger))
	if err != nil {
		return err
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return err
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		return err
	}
	read := int64(0)
	for range client.AllEntries(context.Background(), checkpoint.Tree, 0) {
		read++
	}
	if err := client.Err(); err != nil {
		return err
	}
	if read != checkpoint.N {
		return fmt.Errorf("%d leaves of %d", read, checkpoint.N)
	}
	fmt.Println(read)
	return nil
}

// witness answers add-checkpoint (C2SP tlog-witness) for the key whose seed is in the folder, until it is killed.
// What may be cosigned, the libraries say: note.Open, torchwood.ParseCheckpoint, tlog.CheckTree.
func witness(f folder) error {
	seed, err := base64.StdEncoding.DecodeString(f.lines("seed")[0])
	if err != nil {
		return err
	}
	signer, err := torchwood.NewCosignatureSigner("outsider.example/w1", ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return err
	}
	ledger, err := note.NewVerifier(f.lines("ledger.vkey")[0])
	if err != nil {
		return err
	}
	var step sync.Mutex
	var latest tlog.Tree
	http.HandleFunc("POST /add-checkpoint", func(w http.ResponseWriter, r *http.Request) {
		step.Lock()
		defer step.Unlock()
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		head, shown, _ := strings.Cut(string(body), "\n\n")
		lines := strings.Split(head, "\n")
		old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var proof tlog.TreeProof
		for _, line := range lines[1:] {
			hash, err := tlog.ParseHash(line)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			proof = append(proof, hash)
		}
		opened, err := note.Open([]byte(shown), note.VerifierList(ledger))
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if old != latest.N {
			w.Header().Set("Content-Type", "text/x.tlog.size")
			w.WriteHeader(http.StatusConflict)
			fmt.Fprintln(w, latest.N)
			return
		}
		if latest.N > 0 {
			if err := tlog.CheckTree(proof, checkpoint.N, checkpoint.Hash, latest.N, latest.Hash); err != nil {
				http.Error(w, err.Error(), http.StatusUnprocessableEntity)
				return
			}
		}
		latest = checkpoint.Tree
		signed, err := note.Sign(&note.Note{Text: opened.Text}, signer)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, cosigned, _ := strings.Cut(string(signed), "\n\n")
		fmt.Fprint(w, cosigned)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	return http.Serve(listener, nil)
}
