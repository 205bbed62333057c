// Verify-log checks a static C2SP tlog-tiles export with Go's own transparency
// log packages (golang.org/x/mod/sumdb/note and tlog), from the files alone.
//
//	apt-get -y --no-install-recommends install golang-go golang-golang-x-mod-dev
//	GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$(mktemp -d) CGO_ENABLED=0 \
//		go build -o verify-log verify-log.go
//	./verify-log DIR VKEY [WITNESS_VKEY]
//
// DIR holds checkpoint, tile/<L>/<N>[.p/<W>] and tile/entries/<N>[.p/<W>]. VKEY is
// the log's note verifier key, and WITNESS_VKEY that of a cosigner (Ed25519, type
// 0x04). The program prints one "ok" line and exits 0, or prints the first fault and
// exits 1. DIR may also hold partial tiles and bundles of smaller sizes if they
// agree, but no tile beyond the checkpoint's size. An empty log is refused.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height, width = 8, 256 // the size of a full tile
var dir fs.FS                // DIR

func require(ok bool, format string, args ...any) {
	if !ok {
		fmt.Printf("bad: "+format+"\n", args...)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := fs.ReadFile(dir, path)
	require(err == nil, "%s: %v", path, err)
	return data
}

// A cosigner is a note.Verifier for the cosignature/v1 lines of one witness (c2sp.org/tlog-cosignature).
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
	time int64 // the time of the last cosignature that was verified
}

func newCosigner(vkey string) *cosigner {
	f := append(strings.SplitN(vkey, "+", 3), "", "")
	key, err := base64.StdEncoding.DecodeString(f[2])
	require(err == nil && len(key) == 1+ed25519.PublicKeySize && key[0] == 4, "WITNESS_VKEY: not of type 0x04")
	id := sha256.Sum256([]byte(f[0] + "\n" + string(key)))
	require(f[1] == fmt.Sprintf("%x", id[:4]), "WITNESS_VKEY: key ID is %s, computed %x", f[1], id[:4])
	return &cosigner{name: f[0], id: binary.BigEndian.Uint32(id[:]), key: key[1:]}
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.id }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize || sig[0] >= 0x80 { // the specification limits a time to 2^63
		return false
	}
	c.time = int64(binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", c.time, msg)), sig[8:])
}

// openCheckpoint returns the checkpoint's size and root. Every key must have signed it.
func openCheckpoint(origin string, keys []note.Verifier) (int64, tlog.Hash) {
	n, err := note.Open(read("checkpoint"), note.VerifierList(keys...))
	require(err == nil, "checkpoint: %v", err)
	require(len(n.Sigs) == len(keys), "checkpoint: only %s of the given keys has signed", n.Sigs[0].Name)
	lines := strings.Split(n.Text, "\n") // origin, size, root, any extension lines, ""
	require(len(lines) >= 4 && !strings.Contains("\n"+n.Text, "\n\n"), "checkpoint: not three or more non-empty lines")
	require(lines[0] == origin, "checkpoint: origin is %q, but the key's name is %q", lines[0], origin)
	size, err := strconv.ParseInt(lines[1], 10, 64)
	require(err == nil && size > 0 && strconv.FormatInt(size, 10) == lines[1], "checkpoint: bad size %q", lines[1])
	root, err := tlog.ParseHash(lines[2])
	require(err == nil && root.String() == lines[2], "checkpoint: bad root %q", lines[2])
	return size, root
}

// pathOf returns a tile's path in DIR: Go's path without the height and with "entries" instead of "data".
func pathOf(t tlog.Tile) string {
	return strings.Replace("tile/"+strings.TrimPrefix(t.Path(), "tile/8/"), "tile/data/", "tile/entries/", 1)
}

// eachTile calls f with every tile of a level with n hashes. Level -1 has n entries.
func eachTile(level int, n int64, f func(tlog.Tile)) {
	for i := int64(0); i < n/width; i++ {
		f(tlog.Tile{H: height, L: level, N: i, W: width})
	}
	if n%width > 0 {
		f(tlog.Tile{H: height, L: level, N: n / width, W: int(n % width)})
	}
}

// eachEntry calls f with the number and the bytes of every entry of a bundle.
func eachEntry(t tlog.Tile, f func(int64, []byte)) {
	data := read(pathOf(t))
	for i := t.N * width; i < t.N*width+int64(t.W); i++ {
		require(len(data) >= 2 && len(data)-2 >= int(binary.BigEndian.Uint16(data)), "%s: ends within entry %d", pathOf(t), i)
		end := 2 + int(binary.BigEndian.Uint16(data))
		f(i, data[2:end])
		data = data[end:]
	}
	require(len(data) == 0, "%s: %d bytes after its %d entries", pathOf(t), len(data), t.W)
}

func main() {
	require(len(os.Args) == 3 || len(os.Args) == 4, "usage: verify-log DIR VKEY [WITNESS_VKEY]")
	dir = os.DirFS(os.Args[1])
	log, err := note.NewVerifier(os.Args[2])
	require(err == nil, "VKEY: %v", err)
	keys, witness := []note.Verifier{log}, (*cosigner)(nil)
	if len(os.Args) == 4 {
		witness = newCosigner(os.Args[3])
		keys = append(keys, witness)
	}
	size, root := openCheckpoint(log.Name(), keys)

	// Compute all hashes of the tree from the entries alone.
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(indexes []int64) (found []tlog.Hash, err error) {
		for _, i := range indexes {
			found = append(found, stored[i])
		}
		return found, nil
	})
	eachTile(-1, size, func(t tlog.Tile) {
		eachEntry(t, func(i int64, entry []byte) {
			more, _ := tlog.StoredHashes(i, entry, hashes) // hashes never returns an error
			stored = append(stored, more...)
		})
	})
	computed, _ := tlog.TreeHash(size, hashes)
	roots := fmt.Sprintf("the entries give root %v, but the checkpoint has %v", computed, root)
	if computed == root {
		roots = "the entries give the checkpoint's root, so this file is wrong"
	}

	// Check every tile that this size needs, then all other files in DIR/tile.
	check := func(t tlog.Tile) {
		path, got, i := pathOf(t), []byte(nil), 0
		if t.L >= 0 {
			got = read(path)
		} else { // the bundle may be of an earlier size, so compare the hashes of its entries
			eachEntry(t, func(_ int64, entry []byte) { h := tlog.RecordHash(entry); got = append(got, h[:]...) })
			t.L = 0
		}
		want, _ := tlog.ReadTileData(t, hashes)
		require(len(got) == len(want), "%s: %d bytes, not %d", path, len(got), len(want))
		for i < len(want) && got[i] == want[i] {
			i++
		}
		require(i == len(want), "%s: hash %d (of entry %d, or from it on) is not what the entries give; %s",
			path, i/tlog.HashSize, (t.N*width+int64(i/tlog.HashSize))<<(height*t.L), roots)
	}
	for level := 0; size>>(height*level) > 0; level++ {
		eachTile(level, size>>(height*level), check)
	}
	fs.WalkDir(dir, "tile", func(path string, d fs.DirEntry, err error) error {
		require(err == nil, "%s: %v", path, err)
		if !d.IsDir() {
			t, err := tlog.ParseTilePath(strings.Replace("tile/8/"+strings.TrimPrefix(path, "tile/"), "/entries/", "/data/", 1))
			require(err == nil && pathOf(t) == path && t.L < 64, "%s: not the name of a tile", path)
			end := size // the end of levels -1 and 0
			if t.L > 0 {
				end >>= height * t.L
			}
			require(t.N <= end/width && t.N*width+int64(t.W) <= end, "%s: beyond the checkpoint's size %d", path, size)
			check(t)
		}
		return nil
	})
	require(computed == root, "checkpoint: %s", roots)

	for _, i := range []int64{0, size / 2, size - 1} {
		proof, err := tlog.ProveRecord(size, i, hashes)
		require(err == nil && tlog.CheckRecord(proof, size, root, i, stored[tlog.StoredHashIndex(0, i)]) == nil, "entry %d: inclusion proof fails", i)
	}
	if old := size / 2; old > 0 {
		oldRoot, _ := tlog.TreeHash(old, hashes)
		proof, err := tlog.ProveTree(size, old, hashes)
		require(err == nil && tlog.CheckTree(proof, size, root, old, oldRoot) == nil, "consistency proof from %d to %d fails", old, size)
	}
	cosigned := ", no WITNESS_VKEY given"
	if witness != nil {
		cosigned = ", cosigned by " + witness.name + " at " + time.Unix(witness.time, 0).UTC().Format(time.RFC3339)
	}
	fmt.Printf("ok: %d entries, root %v%s\n", size, root, cosigned)
}
