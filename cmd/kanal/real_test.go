package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kanal/store"
	"kanal/store/storetest"
)

// startBinary serves with the real program, with the simulator and a fresh database, and gives its address. The test
// fails unless it stops cleanly and has logged no error.
func startBinary(t *testing.T, d store.Dialect) string {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(file)
	cmd.Env = append(foreignEnv(), "KANAL_DATA_DIR="+filepath.Join(t.TempDir(), "data"), "KANAL_ADDR=127.0.0.1:0", "KANAL_LOG_FORMAT=json")
	if d == store.Postgres {
		cmd.Env = append(cmd.Env, "KANAL_DATABASE_URL="+storetest.URL(t, d), "KANAL_SIMULATOR=on", "KANAL_SECRET_KEY="+testKey)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log := &logBook{lines: make(chan string, 1000)}
	go log.read(pipe)
	t.Cleanup(func() { stopBinary(t, cmd, log) })
	for line := range log.lines {
		var entry struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "listening" {
			return entry.URL
		}
	}
	t.Fatalf("it did not start:\n%s", log)
	return ""
}

// foreignEnv is the environment without our settings.
func foreignEnv() []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "KANAL_") {
			env = append(env, pair)
		}
	}
	return env
}

// stopBinary ends the program as a system does.
func stopBinary(t *testing.T, cmd *exec.Cmd, log *logBook) {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	timer := time.AfterFunc(10*time.Second, func() {
		t.Error("it did not stop within ten seconds")
		_ = cmd.Process.Kill()
	})
	defer timer.Stop()
	for range log.lines { // until its standard error ends
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), `"level":"ERROR"`) {
		t.Errorf("errors in the log:\n%s", log)
	}
}
