package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/cluster"
	"kanal/store/sample"
	"kanal/twilio"
)

// benchCommand measures the whole program on both databases.
type benchCommand struct {
	Rounds        int           `default:"3" help:"How often webhooks are measured; the median counts."`
	Each          time.Duration `default:"4s" help:"How long one measurement of webhooks takes."`
	Conversations int           `default:"20000" help:"Conversations in the database, with ten messages each."`
	Databases     []string      `default:"sqlite,postgres" enum:"sqlite,postgres" help:"Which databases."`
	Program       string        `help:"The program to measure. Default: ./cmd/kanal is built."`
	Into          string        `help:"Also replace the table in this file: docs/performance.md."`
	Profile       string        `help:"Also leave profiles of the program in this folder."`
}

// maxBench bounds the whole run.
const maxBench = 6 * time.Minute

// Run measures and prints the table. An error when something failed; a target that is missed is none, the table says it.
func (b benchCommand) Run(ctx context.Context, out io.Writer, p progress) error {
	if b.Conversations < minConversations || b.Conversations > 100_000 || b.Rounds < 1 || b.Rounds > 10 {
		return fmt.Errorf("conversations must be %d to 100000, rounds 1 to 10", minConversations)
	}
	ctx, cancel := context.WithTimeout(ctx, maxBench)
	defer cancel()
	dir, err := os.MkdirTemp("", "kanal-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if b.Program == "" {
		b.Program = filepath.Join(dir, "kanal")
		p.say("building the program")
		if said, err := exec.CommandContext(ctx, "go", "build", "-o", b.Program, "./cmd/kanal").CombinedOutput(); err != nil { //nolint:gosec // a fixed command
			return fmt.Errorf("the program cannot be built, is this the root of the source? %w\n%s", err, said)
		}
	}
	r := report{machine: describeMachine(dir), conversations: b.Conversations, at: time.Now()}
	for _, name := range b.Databases {
		e := engine{benchCommand: b, progress: p, dialect: store.Dialect(name), dir: filepath.Join(dir, name)}
		f, err := e.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.add(e.title, f)
	}
	if b.Into != "" {
		if err := r.into(b.Into); err != nil {
			return err
		}
	}
	_, err = fmt.Fprint(out, r)
	return err
}

// engine is the measuring of one database.
type engine struct {
	benchCommand
	progress
	dialect  store.Dialect
	dir      string
	title    string            // the database with its version
	settings map[string]string // of the program
	world    *sample.World
	center   *center
}

// password is what everybody in the sample signs in with.
const password = "correct horse battery"

const (
	administrator = "admin@example.com"
	agents        = 20
)

// measure fills a database, starts the program on it and measures.
func (e *engine) measure(ctx context.Context) (figures, error) {
	if err := os.Mkdir(e.dir, 0o700); err != nil {
		return nil, err
	}
	release, err := e.prepare(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	e.say("%s: filling it with %d conversations", e.title, e.Conversations)
	if err := e.fill(ctx); err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	var all figures
	for _, step := range []struct {
		what string
		do   func(context.Context) (figures, error)
	}{
		{"starts", e.starts}, {"pages", e.pages}, {"the way to a stream", e.toStream}, {"webhooks", e.webhooks}, {"memory", e.memory},
	} {
		e.say("%s: measuring %s", e.title, step.what)
		f, err := step.do(ctx)
		if err != nil {
			if e.center != nil {
				err = errors.Join(err, e.center.stop(), e.center.lastWords())
			}
			return nil, fmt.Errorf("%s: %w", step.what, err)
		}
		all = append(all, f...)
	}
	return all, e.center.stop()
}

// prepare makes an empty database and the settings with which the program uses it.
func (e *engine) prepare(ctx context.Context) (release func(), err error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	e.settings = map[string]string{"KANAL_DATA_DIR": e.dir, "KANAL_SECRET_KEY": base64.StdEncoding.EncodeToString(key)}
	if e.Profile != "" {
		if e.settings["KANAL_METRICS_ADDR"], err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	if e.dialect == store.SQLite {
		e.title = "SQLite"
		e.settings["KANAL_DATABASE_URL"] = "sqlite:" + filepath.Join(e.dir, "kanal.db")
		return func() {}, nil
	}
	server, stop := os.Getenv("KANAL_TEST_POSTGRES_URL"), func() {}
	if server == "" {
		private, err := cluster.Start(ctx, true)
		if err != nil {
			return nil, fmt.Errorf("no PostgreSQL: %w", err)
		}
		server, stop = private.URL, private.Stop
	}
	version, err := cluster.Version(ctx, server)
	if err == nil {
		number, _, _ := strings.Cut(version, " ") // what follows names the distribution
		e.title = "PostgreSQL " + number
		e.settings["KANAL_DATABASE_URL"], err = cluster.Create(ctx, server)
	}
	if err != nil {
		stop()
		return nil, err
	}
	return func() {
		if err := cluster.Drop(context.WithoutCancel(ctx), server, e.settings["KANAL_DATABASE_URL"]); err != nil {
			e.say("the database stays: %v", err)
		}
		stop()
	}, nil
}

// fill sets the database up with an administrator and fills it with the sample.
func (e *engine) fill(ctx context.Context) error {
	keys, err := store.ParseKeys(e.settings["KANAL_SECRET_KEY"])
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(e.to, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := store.Open(ctx, store.Options{URL: e.settings["KANAL_DATABASE_URL"], Keys: keys, Log: log})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := errors.Join(s.Migrate(ctx), s.CheckKey(ctx)); err != nil {
		return err
	}
	u, err := putAdministrator(ctx, s, log)
	if err != nil {
		return err
	}
	e.world, err = sample.Fill(ctx, s, sample.Options{Conversations: e.Conversations, Agents: agents, PasswordHash: u.PasswordHash})
	return err
}

func putAdministrator(ctx context.Context, s *store.Store, log *slog.Logger) (models.User, error) {
	sv, err := service.New(ctx, service.Options{Store: s, Twilio: twilio.New(twilio.Options{}), PublicURL: &url.URL{Scheme: "http", Host: "127.0.0.1"}, Log: log})
	if err != nil {
		return models.User{}, err
	}
	defer sv.Close()
	if _, err := sv.PutUser(ctx, service.UserForm{Name: "Admin", Email: administrator, Role: models.Administrator}, password); err != nil {
		return models.User{}, err
	}
	return s.UserByEmail(ctx, administrator)
}
