// Command kanal is the program: it serves the center, brings the database up to date, adds users and checks the connection. Settings come
// from the environment or from flags; secrets and the database address never from flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // time zones also where the system has none

	"github.com/alecthomas/kong"

	"kanal/models"
	"kanal/views/i18n"
)

// Exit codes.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// version is set when the program is built.
var version = "dev"

// commands is the command line.
type commands struct {
	settings

	Serve   serveCommand   `cmd:"" default:"1" help:"Serve the center (the default)."`
	Migrate migrateCommand `cmd:"" help:"Bring the database up to date and stop."`
	User    struct {
		Add userAddCommand `cmd:"" help:"Add a user, or give an existing one a role and a new password."`
	} `cmd:"" help:"Users."`
	Doctor  doctorCommand  `cmd:"" help:"Check the connection from Twilio to the inbox."`
	Version versionCommand `cmd:"" help:"Show the version."`
}

// streams are what the program reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	// An empty setting is none.
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); value == "" && strings.HasPrefix(name, "KANAL_") {
			_ = os.Unsetenv(name)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the program at once
	}()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run runs the program and gives its exit code.
func run(ctx context.Context, args []string, io streams) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("kanal"), kong.Description("A customer-service center for WhatsApp over Twilio."),
		kong.Writers(io.out, io.err))
	if err != nil {
		return complain(io, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return complain(io, usageError{err.Error() + ". See kanal --help."})
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return complain(io, command.Run(c.settings, io))
}

// usageError is a wrong use of the program.
type usageError struct{ sentence string }

// Error gives the sentence.
func (e usageError) Error() string { return e.sentence }

// complain writes one sentence about what went wrong and gives the exit code.
func complain(io streams, err error) int {
	if err == nil {
		return exitOK
	}
	code := exitFailure
	var usage usageError
	var fields models.FieldErrors
	if errors.As(err, &usage) || errors.As(err, &fields) {
		code = exitUsage
	}
	_, _ = fmt.Fprintln(io.err, "kanal: "+sentence(err))
	return code
}

// sentence says in English what went wrong.
func sentence(err error) string {
	var fields models.FieldErrors
	if errors.As(err, &fields) {
		parts := make([]string, len(fields))
		for i, f := range fields {
			parts[i] = i18n.Lookup(i18n.EN, f.Key, f.Args...)
		}
		return strings.Join(parts, " ")
	}
	var e *models.Error
	if errors.As(err, &e) && e.Kind != models.KindInternal && i18n.Has(e.Key) {
		return i18n.Lookup(i18n.EN, e.Key, e.Args...)
	}
	if errors.As(err, &e) && e.Cause != nil {
		return e.Cause.Error()
	}
	return err.Error()
}

type versionCommand struct{}

// Run shows the version.
func (versionCommand) Run(io streams) error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(io.out, "kanal %s%s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
