package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"kanal/models"
	"kanal/store"
	"kanal/store/blob"
	"kanal/store/spool"
)

// settings are the flags and the environment. Secrets and the database address are not among them: secretSetting.
type settings struct {
	Addr           string   `env:"KANAL_ADDR" default:"127.0.0.1:8080" help:"Listen address."`
	PublicURL      string   `env:"KANAL_PUBLIC_URL" help:"What browsers and Twilio use. Default: http:// and the listen address."`
	DataDir        string   `env:"KANAL_DATA_DIR" default:"./data" help:"Folder for the SQLite file, the secret key, files and the spool."`
	FilesURL       string   `env:"KANAL_FILES_URL" help:"Where files are kept: s3://bucket?endpoint=https://…&region=…. Default: the folder files in the data folder."`
	TwilioURL      string   `env:"KANAL_TWILIO_URL" help:"One base address for all of Twilio's hosts, for a stand-in."`
	Simulator      string   `env:"KANAL_SIMULATOR" default:"auto" enum:"auto,on,off" help:"The built-in simulator: auto is on with SQLite when the public address is loopback."`
	TrustedProxies []string `env:"KANAL_TRUSTED_PROXIES" help:"Addresses whose X-Forwarded-For counts, separated by commas."`
	MetricsAddr    string   `env:"KANAL_METRICS_ADDR" help:"Listen address of /metrics and /debug/pprof. Default: none."`
	LogLevel       string   `env:"KANAL_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least level of the log."`
	LogFormat      string   `env:"KANAL_LOG_FORMAT" default:"auto" enum:"auto,text,json" help:"Format of the log: auto is text on a terminal, else json."`
	Dev            bool     `env:"KANAL_DEV" hidden:"" help:"Show the pages for developers."`
}

// secretSetting reads a setting that must not be a flag: from the environment, or from the file that NAME_FILE names.
func secretSetting(name string) (string, error) {
	value, file := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case file == "":
		return value, nil
	case value != "":
		return "", usageError{name + " and " + name + "_FILE are both set; give one."}
	}
	b, err := os.ReadFile(file) //nolint:gosec // the administrator names the file
	if err != nil {
		return "", usageError{fmt.Sprintf("%s_FILE cannot be read: %v.", name, cause(err))}
	}
	return strings.TrimSpace(string(b)), nil
}

// cause gives what the system said, without the operation and the path that our sentence has already.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// database gives the address of the database and makes the data dir.
func (s settings) database() (string, error) {
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return "", fmt.Errorf("the data folder %s cannot be made: %w", s.DataDir, cause(err))
	}
	address, err := secretSetting("KANAL_DATABASE_URL")
	if err != nil || address != "" {
		return address, err
	}
	return "sqlite:" + filepath.Join(s.DataDir, "kanal.db"), nil
}

// keys gives the keys that seal secrets: given, or with SQLite from a file in the data dir.
func (s settings) keys(database string) ([]store.Key, error) {
	given, err := secretSetting("KANAL_SECRET_KEY")
	switch {
	case err != nil:
		return nil, err
	case given != "":
		return store.ParseKeys(given)
	case isSQLite(database):
		return store.LoadOrMakeKeys(s.DataDir)
	}
	return nil, usageError{"KANAL_SECRET_KEY must be set when the database is PostgreSQL: 32 bytes in base64, as openssl rand -base64 32 makes them."}
}

// files opens the store of files' content. It is not asked whether it answers.
func (s settings) files() (*blob.Store, error) {
	access, err := secretSetting("KANAL_S3_ACCESS_KEY")
	if err != nil {
		return nil, err
	}
	secret, err := secretSetting("KANAL_S3_SECRET_KEY")
	if err != nil {
		return nil, err
	}
	return blob.Open(blob.Config{
		Folder: filepath.Join(s.DataDir, "files"), URL: s.FilesURL, AccessKey: models.Secret(access), SecretKey: models.Secret(secret),
	})
}

// spool opens the folder of webhooks that came while the database was away.
func (s settings) spool(log *slog.Logger) (*spool.Spool, error) {
	return spool.Open(spool.Options{Dir: filepath.Join(s.DataDir, "spool"), Log: log})
}

func isSQLite(database string) bool { return strings.HasPrefix(database, "sqlite:") }

// publicURL gives what browsers and Twilio use; at is where the program listens.
func (s settings) publicURL(at net.Addr) (*url.URL, error) {
	if s.PublicURL == "" {
		return &url.URL{Scheme: "http", Host: reachable(at)}, nil
	}
	return baseURL("KANAL_PUBLIC_URL", s.PublicURL)
}

// reachable gives an address that a browser on this machine can open.
func reachable(at net.Addr) string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok || len(tcp.IP) > 0 && !tcp.IP.IsUnspecified() {
		return at.String()
	}
	return net.JoinHostPort("localhost", fmt.Sprint(tcp.Port))
}

// baseURL reads an address with a scheme and a host and without a path.
func baseURL(name, text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, usageError{name + " must be an address like https://kanal.example.com, without a path."}
	}
	return u, nil
}

// twilioBase reads the address of a stand-in for Twilio; nil is Twilio itself.
func (s settings) twilioBase() (*url.URL, error) {
	if s.TwilioURL == "" {
		return nil, nil
	}
	return baseURL("KANAL_TWILIO_URL", s.TwilioURL)
}

// isLoopback tells whether only this machine reaches a host.
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// onLoopback tells whether only this machine reaches an address.
func onLoopback(at net.Addr) bool {
	tcp, ok := at.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// simulate tells whether the built-in simulator runs: only where others do not reach it. at is where the program
// listens; it decides when no public address was given.
func (s settings) simulate(database string, at net.Addr, public *url.URL) (bool, error) {
	local := isLoopback(public.Hostname()) && (s.PublicURL != "" || onLoopback(at))
	switch {
	case s.Simulator == "on" && !local:
		return false, usageError{"KANAL_SIMULATOR=on is refused because the public address is not a loopback address: anybody could write as a customer."}
	case s.Simulator == "on":
		return true, nil
	}
	return s.Simulator == "auto" && local && isSQLite(database), nil
}

// proxies reads the addresses of trusted proxies.
func (s settings) proxies() ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range s.TrustedProxies {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return nil, usageError{"KANAL_TRUSTED_PROXIES must hold addresses like 10.0.0.1 or 10.0.0.0/8, separated by commas."}
			}
			p = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		}
		list = append(list, p)
	}
	return list, nil
}

// logger makes the log; it goes to standard error.
func (s settings) logger(io streams) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // one of four: the command line has checked
	o := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "text" || s.LogFormat == "auto" && isTerminal(io) {
		return slog.New(slog.NewTextHandler(io.err, o))
	}
	return slog.New(slog.NewJSONHandler(io.err, o))
}

func isTerminal(io streams) bool {
	f, ok := io.err.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// opened is an open database with what a command needs beside it.
type opened struct {
	*store.Store
	address string
	log     *slog.Logger
	unlock  func()
}

// open opens the database. With lock it takes the data dir of SQLite for this process, so that no other one serves from it.
func (s settings) open(io streams, lock bool) (*opened, error) {
	o := &opened{log: s.logger(io), unlock: func() {}}
	var err error
	if o.address, err = s.database(); err != nil {
		return nil, err
	}
	if lock && isSQLite(o.address) {
		if o.unlock, err = s.lock(o.address); err != nil {
			return nil, err
		}
	}
	keys, err := s.keys(o.address)
	if err == nil {
		o.Store, err = openStore(o.address, keys, o.log)
	}
	if err != nil {
		o.unlock()
		return nil, err
	}
	return o, nil
}

// beside opens the database for a command that works beside a serving process, and gives the public address.
func (s settings) beside(ctx context.Context, io streams) (*opened, *url.URL, error) {
	addr, err := net.ResolveTCPAddr("tcp", s.Addr)
	if err != nil {
		return nil, nil, usageError{"KANAL_ADDR must be an address like 127.0.0.1:8080."}
	}
	public, err := s.publicURL(addr)
	if err != nil {
		return nil, nil, err
	}
	db, err := s.open(io, false)
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(db.CheckMigrated(ctx), db.CheckKey(ctx)); err != nil {
		db.close()
		return nil, nil, err
	}
	return db, public, nil
}

// lock takes the data dir, and the folder of the SQLite file when that is another one.
func (s settings) lock(database string) (func(), error) {
	first, err := store.LockDataDir(s.DataDir)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(strings.TrimPrefix(database, "sqlite:"))
	if sameDir(dir, s.DataDir) {
		return first, nil
	}
	second, err := store.LockDataDir(dir)
	if err != nil {
		first()
		return nil, err
	}
	return func() { second(); first() }, nil
}

func sameDir(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// close closes the database and lets the data dir go.
func (o *opened) close() {
	o.Close()
	o.unlock()
}

// token makes a one-time code for the first start when others than this machine can reach it, else none.
func token(addr net.Addr, public *url.URL) models.Secret {
	if onLoopback(addr) && isLoopback(public.Hostname()) {
		return ""
	}
	return models.Secret(newToken())
}
