package storetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is the private PostgreSQL of this test binary; it lives as long as the process.
var cluster = sync.OnceValues(startCluster)

// postgres gives the address of a PostgreSQL server for tests.
func postgres(t testing.TB) string {
	t.Helper()
	if u := os.Getenv("KANAL_TEST_POSTGRES_URL"); u != "" {
		return u
	}
	u, err := cluster()
	if err != nil {
		Require(t, "postgres", "PostgreSQL cannot be started: "+err.Error())
	}
	return u
}

func findBinary(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1], nil
	}
	return exec.LookPath(name)
}

// startCluster makes a cluster in a temporary folder and starts it on a free loopback port. The server ends with this
// process; the next start on the machine removes the folder.
func startCluster() (string, error) {
	initdb, err := findBinary("initdb")
	if err != nil {
		return "", errors.New("initdb was not found; install the package postgresql")
	}
	server, err := findBinary("postgres")
	if err != nil {
		return "", errors.New("the server program postgres was not found; install the package postgresql")
	}
	removeLeftOver()
	dir, err := os.MkdirTemp("", "kanal-postgres-")
	if err != nil {
		return "", err
	}
	who, err := unprivileged(dir)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	init := exec.Command(initdb, "-D", data, "-U", "kanal", "-A", "trust", "-E", "UTF8", "--locale=C", "-N") //nolint:gosec,noctx // a fixed command
	init.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	init.Dir = dir
	if out, err := init.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	args := []string{"-D", data, "-p", strconv.Itoa(port), "-k", dir, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200",
		"-c", "log_destination=stderr", "-c", "log_min_messages=panic"}
	// Benchmarks measure with the durability that a server has by default; tests need none.
	if os.Getenv("KANAL_TEST_DURABLE") == "" {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	run := exec.Command(server, args...) //nolint:gosec,noctx // a fixed command that lives as long as the process
	// SIGQUIT when this process dies, however it dies: an immediate shutdown.
	run.SysProcAttr = &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGQUIT}
	run.Dir = dir
	if err := run.Start(); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "test.pid"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return "", err
	}
	url := fmt.Sprintf("postgres://kanal@127.0.0.1:%d/postgres?sslmode=disable", port)
	return url, waitForServer(url)
}

// unprivileged gives the folder to a user who is not root, as whom the server runs: PostgreSQL refuses root.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("there is no unprivileged user to run PostgreSQL as")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func waitForServer(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, url)
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server did not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// removeLeftOver removes the folders of test binaries that have ended.
func removeLeftOver() {
	pids, _ := filepath.Glob(filepath.Join(os.TempDir(), "kanal-postgres-*", "test.pid"))
	for _, f := range pids {
		b, err := os.ReadFile(f) //nolint:gosec // our own file
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(string(b))
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			_ = os.RemoveAll(filepath.Dir(f))
		}
	}
}
