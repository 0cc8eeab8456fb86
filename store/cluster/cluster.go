// Package cluster starts a private PostgreSQL server in a temporary folder, on loopback, for tests and benchmarks, and
// makes databases on a server.
package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running PostgreSQL. URL is the address of its database postgres.
type Server struct {
	URL string
	dir string
	run *exec.Cmd
}

func findBinary(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1], nil
	}
	return exec.LookPath(name)
}

// Start makes a cluster in a temporary folder and starts it on a free loopback port. The server ends with this process
// or at Stop; the next start on the machine removes the folder of one that was not stopped. A durable server keeps the
// settings that PostgreSQL has by default, which benchmarks measure; tests need no durability. The error says what is
// missing on the machine.
func Start(ctx context.Context, durable bool) (*Server, error) {
	initdb, err := findBinary("initdb")
	if err != nil {
		return nil, errors.New("initdb was not found; install the package postgresql")
	}
	server, err := findBinary("postgres")
	if err != nil {
		return nil, errors.New("the server program postgres was not found; install the package postgresql")
	}
	removeLeftOver()
	dir, err := os.MkdirTemp("", "kanal-postgres-")
	if err != nil {
		return nil, err
	}
	who, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	init := exec.CommandContext(ctx, initdb, "-D", filepath.Join(dir, "data"), "-U", "kanal", "-A", "trust", "-E", "UTF8", "--locale=C", "-N") //nolint:gosec // a fixed command
	init.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	init.Dir = dir
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	s := &Server{dir: dir}
	if err := s.start(ctx, server, who, durable); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, program string, who *syscall.Credential, durable bool) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	args := []string{"-D", filepath.Join(s.dir, "data"), "-p", strconv.Itoa(port), "-k", s.dir, "-c", "listen_addresses=127.0.0.1",
		"-c", "max_connections=200", "-c", "log_destination=stderr", "-c", "log_min_messages=panic"}
	if !durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	run := exec.Command(program, args...) //nolint:gosec,noctx // a fixed command that lives until Stop
	// SIGQUIT when this process dies, however it dies: an immediate shutdown. A group of its own keeps the terminal's
	// interrupt away from it.
	run.SysProcAttr = &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	run.Dir = s.dir
	if err := run.Start(); err != nil {
		return err
	}
	s.run = run
	if err := os.WriteFile(filepath.Join(s.dir, pidFile), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	s.URL = fmt.Sprintf("postgres://kanal@127.0.0.1:%d/postgres?sslmode=disable", port)
	return waitForServer(ctx, s.URL)
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() {
	if s.run != nil {
		_ = s.run.Process.Signal(syscall.SIGINT) // a fast shutdown: it waits for no client
		_ = s.run.Wait()
	}
	_ = os.RemoveAll(s.dir)
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

func waitForServer(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
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

// pidFile names the process that started the server.
const pidFile = "owner.pid"

// removeLeftOver removes the folders of processes that have ended.
func removeLeftOver() {
	pids, _ := filepath.Glob(filepath.Join(os.TempDir(), "kanal-postgres-*", pidFile))
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

// Create makes an empty database on the server at an address and gives its address.
func Create(ctx context.Context, server string) (string, error) {
	return create(ctx, server, "")
}

// Copy makes a database with all that is in another one, to which nobody may be connected, and gives its address.
// server and database are what was given to Create and what it gave.
func Copy(ctx context.Context, server, database string) (string, error) {
	name, err := nameOf(database)
	if err != nil {
		return "", err
	}
	return create(ctx, server, " TEMPLATE "+name)
}

func create(ctx context.Context, server, how string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	name := "kanal_test_" + hex.EncodeToString(b)
	if err := execute(ctx, server, "CREATE DATABASE "+name+how); err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// Drop removes a database that Create has made, whoever is connected to it. server is the address given to Create.
func Drop(ctx context.Context, server, database string) error {
	name, err := nameOf(database)
	if err != nil {
		return err
	}
	return execute(ctx, server, "DROP DATABASE "+name+" WITH (FORCE)")
}

// nameOf gives the name in a database's address as SQL writes it.
func nameOf(database string) (string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return "", err
	}
	return pgx.Identifier{strings.TrimPrefix(u.Path, "/")}.Sanitize(), nil
}

func execute(ctx context.Context, server, sql string) error {
	return with(ctx, server, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sql)
		return err
	})
}

// Version gives the version of the server at an address.
func Version(ctx context.Context, server string) (version string, err error) {
	err = with(ctx, server, func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, "SHOW server_version").Scan(&version)
	})
	return version, err
}

func with(ctx context.Context, server string, f func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	return f(ctx, c)
}
