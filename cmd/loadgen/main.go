// Command loadgen measures a center. It sends signed inbound webhooks to one that runs on this machine, or starts the
// program itself, on both databases, and prints what it can do as a table. It never sends to another machine, and it
// stops by itself.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// commands is the command line.
type commands struct {
	Send  sendCommand  `cmd:"" help:"Send signed inbound webhooks to a center on this machine."`
	Bench benchCommand `cmd:"" help:"Measure the program on SQLite and PostgreSQL and print a table."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs a command and gives the exit code.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("loadgen"), kong.Description("Measures a center of WhatsApp customer service on this machine."),
		kong.Writers(out, errs))
	if err == nil {
		var command *kong.Context
		if command, err = parser.Parse(args); err != nil {
			_, _ = fmt.Fprintln(errs, "loadgen:", err)
			return exitUsage
		}
		command.BindTo(ctx, (*context.Context)(nil))
		command.BindTo(out, (*io.Writer)(nil))
		err = command.Run(progress{errs})
	}
	if err != nil {
		_, _ = fmt.Fprintln(errs, "loadgen:", err)
		return exitFailure
	}
	return exitOK
}

// progress tells a person what is being done.
type progress struct{ to io.Writer }

func (p progress) say(format string, args ...any) { _, _ = fmt.Fprintf(p.to, format+"\n", args...) }
