package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"kanal/jobs"
	"kanal/service"
	"kanal/store"
	"kanal/store/blob"
	"kanal/store/spool"
	"kanal/twilio"
	"kanal/twilio/simulator"
	"kanal/web"
)

// Times in which the program stops; together they stay under ten seconds.
const (
	jobsStop    = 4 * time.Second // for jobs that run; two more until they are cancelled
	httpStop    = 2 * time.Second // then, for requests that are being answered
	serviceStop = time.Second
)

// filesCheck bounds the look at the store of files when the program starts.
const filesCheck = 5 * time.Second

func newToken() string { return rand.Text() }

func openStore(address string, keys []store.Key, log *slog.Logger) (*store.Store, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return store.Open(ctx, store.Options{URL: address, Keys: keys, Log: log})
}

type serveCommand struct{}

type migrateCommand struct{}

// Run brings the database up to date.
func (migrateCommand) Run(ctx context.Context, s settings, io streams) error {
	db, err := s.open(io, true)
	if err != nil {
		return err
	}
	defer db.close()
	return prepare(ctx, db)
}

// prepare brings the tables up to date, unless a newer program has changed them, and checks the keys.
func prepare(ctx context.Context, db *opened) error {
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return db.CheckKey(ctx)
}

// Run serves until ctx ends.
func (serveCommand) Run(ctx context.Context, s settings, io streams) error {
	db, err := s.open(io, true)
	if err != nil {
		return err
	}
	defer db.close()
	if err := prepare(ctx, db); err != nil {
		return err
	}
	c, err := s.assemble(ctx, db)
	if err != nil {
		return err
	}
	return c.serve(ctx)
}

// center is the running program.
type center struct {
	db       *opened
	listener net.Listener
	public   *url.URL
	sim      *simulator.Simulator // nil when it is off
	files    *blob.Store
	spool    *spool.Spool
	service  *service.Service
	runner   *store.Runner
	web      *web.Server
	metrics  *metrics // nil when there is no address for it
}

// assemble makes all parts; none of them works yet.
func (s settings) assemble(ctx context.Context, db *opened) (c *center, err error) {
	c = &center{db: db}
	defer func() {
		if err != nil {
			c.release()
		}
	}()
	if c.listener, err = listen(ctx, "KANAL_ADDR", s.Addr); err != nil {
		return c, err
	}
	if c.public, err = s.publicURL(c.listener.Addr()); err != nil {
		return c, err
	}
	if err = c.openSimulator(s); err != nil {
		return c, err
	}
	if err = c.openFiles(ctx, s); err != nil {
		return c, err
	}
	if c.spool, err = s.spool(db.log); err != nil {
		return c, fmt.Errorf("the spool in the data folder %s cannot be used: %w", s.DataDir, cause(err))
	}
	if err = c.openService(ctx, s); err != nil {
		return c, err
	}
	if c.runner, err = jobs.New(db.Store, c.service); err != nil {
		return c, err
	}
	if s.MetricsAddr != "" {
		if c.metrics, err = newMetrics(ctx, s.MetricsAddr, db.Store, c.spool); err != nil {
			return c, err
		}
	}
	return c, c.openWeb(ctx, s)
}

func listen(ctx context.Context, name, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen on %s: %w", name, addr, cause(err))
	}
	return l, nil
}

func (c *center) openSimulator(s settings) error {
	on, err := s.simulate(c.db.address, c.listener.Addr(), c.public)
	if err != nil || !on {
		return err
	}
	c.sim, err = simulator.Open(simulator.Options{File: filepath.Join(s.DataDir, "simulator.json"), Now: time.Now, Log: c.db.log})
	return err
}

// openFiles opens the store of files. One that does not answer is told and not waited for: messages come in all the same.
func (c *center) openFiles(ctx context.Context, s settings) error {
	var err error
	if c.files, err = s.files(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, filesCheck)
	defer cancel()
	if err := c.files.Check(ctx); err != nil {
		c.db.log.Warn("the store of files cannot be used", "err", err)
	}
	return nil
}

func (c *center) openService(ctx context.Context, s settings) error {
	base, err := s.twilioBase()
	if err != nil {
		return err
	}
	at := twilio.Options{Base: base}
	if c.sim != nil {
		at.SimulatorBase, at.SimulatorMedia, at.IsSimulated = c.sim.URL(), c.sim.MediaURL(), c.sim.Has
	}
	c.service, err = service.New(ctx, service.Options{
		Store: c.db.Store, Files: c.files, Spool: c.spool, Twilio: twilio.New(at), PublicURL: c.public, Log: c.db.log, IsSimulated: at.IsSimulated,
	})
	return err
}

func (c *center) openWeb(ctx context.Context, s settings) error {
	proxies, err := s.proxies()
	if err != nil {
		return err
	}
	o := web.Options{
		Store: c.db.Store, Service: c.service, Simulator: c.sim, PublicURL: c.public, TrustedProxies: proxies,
		Dev: s.Dev, Version: version, Log: c.db.log,
	}
	if done, err := c.db.IsSetUp(ctx); err != nil {
		return err
	} else if !done {
		o.SetupToken = token(c.listener.Addr(), c.public)
	}
	if c.metrics != nil {
		o.Observe = c.metrics.observe
	}
	if c.web, err = web.New(o); err != nil {
		return err
	}
	if c.metrics != nil {
		c.metrics.countStreams(c.web.Streams)
	}
	if o.SetupToken != "" {
		c.db.log.Warn("first start: the page asks for this one-time code", "code", o.SetupToken.Reveal(), "page", c.public.String()+"/setup")
	}
	return nil
}

// serve works until ctx ends or a part fails, and stops all parts.
func (c *center) serve(ctx context.Context) error {
	// What follows events ends last, after the work that makes them.
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	var followers sync.WaitGroup
	for _, follow := range []func(context.Context){c.db.Listen, c.service.Follow, c.service.Replay, c.web.Follow} {
		followers.Go(func() { follow(following) })
	}
	defer func() { stopFollowing(); followers.Wait() }()
	defer c.release()
	if err := c.runner.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	srv := c.web.HTTPServer()
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(c.listener) }()
	if c.metrics != nil {
		c.metrics.start()
	}
	c.db.log.Info("listening", "url", c.public.String(), "addr", c.listener.Addr().String(), "database", c.db.Dialect(), "simulator", c.sim != nil)
	select {
	case <-ctx.Done():
		c.db.log.Info("stopping")
		c.stop(srv)
		c.db.log.Info("stopped")
		return nil
	case err := <-failed:
		c.stop(srv)
		return err
	}
}

// stop ends the streams, begins no new job, and waits for what runs. Requests are answered until the jobs have ended:
// /readyz says that the program is stopping, and a customer's message that comes meanwhile is taken in.
func (c *center) stop(srv *http.Server) {
	c.web.Stop()
	jobsTime, cancelJobs := context.WithTimeout(context.Background(), jobsStop)
	defer cancelJobs()
	if err := c.runner.Stop(jobsTime); err != nil {
		c.db.log.Warn("jobs were cut off", "err", err)
	}
	httpTime, cancelHTTP := context.WithTimeout(context.Background(), httpStop)
	defer cancelHTTP()
	if err := srv.Shutdown(httpTime); err != nil {
		c.db.log.Warn("requests were cut off", "err", err)
		_ = srv.Close()
	}
}

// release closes what is open; it may be called at any time of the making.
func (c *center) release() {
	var errs []error
	if c.listener != nil {
		if err := c.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if c.service != nil {
		within(serviceStop, c.service.Close)
	}
	if c.spool != nil {
		errs = append(errs, c.spool.Close())
	}
	if c.files != nil {
		errs = append(errs, c.files.Close())
	}
	if c.sim != nil {
		errs = append(errs, c.sim.Close())
	}
	if c.metrics != nil {
		errs = append(errs, c.metrics.close())
	}
	if err := errors.Join(errs...); err != nil {
		c.db.log.Warn("not everything was closed", "err", err)
	}
}

// within runs f and waits for it, but not longer than d.
func within(d time.Duration, f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(d):
	}
}
