package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// center is the program, running as a process of its own.
type center struct {
	base    string
	started time.Duration // from its start until it was ready
	run     *exec.Cmd
	exited  chan error
	log     string
}

// readyWithin bounds a start.
const readyWithin = 30 * time.Second

// startCenter starts the program with the settings and waits until it is ready. It ends with ctx, or at stop.
func startCenter(ctx context.Context, program, dir string, settings map[string]string) (*center, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	c := &center{base: "http://" + addr, exited: make(chan error, 1), log: filepath.Join(dir, "kanal.log")}
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	c.run = exec.CommandContext(ctx, program, "serve")
	c.run.Env = append(without(os.Environ(), "KANAL_"), "KANAL_ADDR="+addr, "KANAL_LOG_FORMAT=json", "KANAL_SIMULATOR=off")
	for name, value := range settings {
		c.run.Env = append(c.run.Env, name+"="+value)
	}
	c.run.Stderr = log
	c.run.Cancel = func() error { return c.run.Process.Signal(syscall.SIGTERM) }
	c.run.WaitDelay = 10 * time.Second
	c.run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	began := time.Now()
	if err := c.run.Start(); err != nil {
		return nil, err
	}
	go func() { c.exited <- c.run.Wait() }()
	if err := c.ready(ctx); err != nil {
		return nil, errors.Join(err, c.stop(), c.lastWords())
	}
	c.started = time.Since(began)
	return c, nil
}

func without(env []string, prefix string) []string {
	var left []string
	for _, pair := range env {
		if !strings.HasPrefix(pair, prefix) {
			left = append(left, pair)
		}
	}
	return left
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// ready waits until /readyz answers 200.
func (c *center) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	client := newClient(1)
	defer client.CloseIdleConnections()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/readyz", nil)
		if err != nil {
			return err
		}
		why := expect(client, req, http.StatusOK)
		if why == nil {
			return nil
		}
		select {
		case err := <-c.exited:
			c.exited <- err
			return fmt.Errorf("the center ended while it started: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("the center was not ready: %w", why)
		case <-time.After(time.Millisecond):
		}
	}
}

// stop ends the program and gives an error when it did not stop cleanly.
func (c *center) stop() error {
	_ = c.run.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-c.exited:
		c.exited <- err
		return err
	case <-time.After(12 * time.Second):
		_ = c.run.Process.Kill()
		return errors.New("the center did not stop")
	}
}

// lastWords gives the end of the program's log as an error.
func (c *center) lastWords() error {
	b, err := os.ReadFile(c.log)
	if err != nil {
		return err
	}
	return errors.New(string(b[max(0, len(b)-2000):]))
}

// resident gives the memory that the program holds, in bytes.
func (c *center) resident() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.run.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("memory is only measured on Linux: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmRSS in the status of the process")
}

// signIn gives a client in which a user is signed in.
func (c *center) signIn(ctx context.Context, email, password string, connections int) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := newClient(connections)
	client.Jar = jar
	form := url.Values{"email": {email}, "password": {password}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return client, expect(client, req, http.StatusSeeOther)
}
