// Package web says what HTTP says: every route in one list, pages and fragments, who may do what, and the streams. It
// is the only place that knows Echo and status codes.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/twilio/simulator"
	"kanal/web/live"
)

// Options are what the pages need.
type Options struct {
	Store     *store.Store
	Service   *service.Service
	Simulator *simulator.Simulator // nil when it is off
	PublicURL *url.URL             // what browsers and Twilio use
	// TrustedProxies are the addresses whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix
	// SetupToken must be given at /setup; empty asks for none.
	SetupToken models.Secret
	Dev        bool // shows /admin/components
	Version    string
	Log        *slog.Logger
	// Observe hears of every answer; nil when nobody measures.
	Observe func(method, route string, status int, took time.Duration)
}

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	o        Options
	store    *store.Store
	service  *service.Service
	sim      *simulator.Simulator
	log      *slog.Logger
	echo     *echo.Echo
	sessions *scs.SessionManager
	origins  *http.CrossOriginProtection
	hub      *live.Hub
	guesses  *guesses
	setUp    atomic.Bool // the first administrator exists; it never goes away again
	stopping atomic.Bool
}

// New makes a server. An error when the public URL has no origin.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		o: o, store: o.Store, service: o.Service, sim: o.Simulator, log: o.Log,
		origins: http.NewCrossOriginProtection(), hub: live.NewHub(o.Store.Now), guesses: newGuesses(),
	}
	if err := s.origins.AddTrustedOrigin(o.PublicURL.Scheme + "://" + o.PublicURL.Host); err != nil {
		return nil, models.Wrap(err, "public URL")
	}
	s.sessions = s.newSessions()
	s.echo = s.newEcho()
	return s, nil
}

func (s *Server) newEcho() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientIP(s.o.TrustedProxies)
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.fail(c, err) }
	e.Use(s.observe, s.protect)
	for _, r := range s.routes() {
		e.Add(r.method, r.path, r.handler, s.gate(r))
		if r.method == get && r.path != "/events" {
			e.Add(http.MethodHead, r.path, r.handler, s.gate(r))
		}
	}
	return e
}

// Handler gives the whole of it.
func (s *Server) Handler() http.Handler { return s.echo }

// Limits of a connection. Streams clear the two that would cut them.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 32 << 10
)

// HTTPServer gives a server with the limits of this package; its Shutdown ends the streams.
func (s *Server) HTTPServer() *http.Server {
	srv := &http.Server{
		Handler: s.echo, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	srv.RegisterOnShutdown(s.hub.Close)
	return srv
}

// Follow brings events to the streams until ctx ends.
func (s *Server) Follow(ctx context.Context) {
	events, cancel := s.store.Subscribe()
	defer cancel()
	var simulator sync.WaitGroup
	defer simulator.Wait()
	if s.sim != nil {
		s.alignSimulator()
		simulator.Go(func() { s.followSimulator(ctx) })
	}
	s.hub.Run(ctx, events)
}

// Stop makes /readyz answer 503 and ends the streams: no new work is wanted.
func (s *Server) Stop() {
	s.stopping.Store(true)
	s.hub.Close()
}

// Streams gives how many streams are open.
func (s *Server) Streams() int { return s.hub.Streams() }
