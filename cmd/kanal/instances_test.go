package main

import (
	"bufio"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kanal/store"
	"kanal/store/storetest"
)

// A message that one instance takes in shows in the stream of the other. An instance that has only just begun to listen to the
// database may have missed it, and says so: resync.
func TestEventsCrossInstances(t *testing.T) {
	w := newTown(t, store.Postgres)
	w.launch()
	w.conversation()
	addr := freeAddress(t)
	w.launch("KANAL_ADDR="+addr, "KANAL_DATA_DIR="+filepath.Join(t.TempDir(), "other"))
	body := fetch(t, w.client, "GET", "http://"+addr+"/events", nil).Body
	late := time.AfterFunc(time.Minute, func() { _ = body.Close() })
	defer late.Stop()
	stream := bufio.NewScanner(body)
	if !stream.Scan() || stream.Text() != "event: ping" {
		t.Fatal(stream.Text(), stream.Err())
	}
	w.write("once more")
	for stream.Scan() {
		switch stream.Text() {
		case "event: conversation":
			return
		case "event: resync":
			w.write("and again")
		}
	}
	t.Fatal("the event did not come:", stream.Err())
}

// Two processes that bring one database up to date at the same time come one after the other.
func TestMigratedByTwoAtOnce(t *testing.T) {
	w := newTown(t, store.Postgres)
	w.env = append(w.env, "KANAL_DATABASE_URL="+storetest.URL(t, store.Postgres))
	var both sync.WaitGroup
	for range 3 {
		both.Go(func() {
			if out, err := w.command("migrate").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	both.Wait()
}
