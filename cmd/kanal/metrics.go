package main

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kanal/store"
	"kanal/store/spool"
)

// metrics measures the program and shows it at an address of its own.
type metrics struct {
	listener net.Listener
	server   *http.Server
	registry *prometheus.Registry
	answers  *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// jobsTimeout bounds counting the jobs for one look at the metrics.
const jobsTimeout = 2 * time.Second

func newMetrics(ctx context.Context, addr string, db *store.Store, sp *spool.Spool) (*metrics, error) {
	l, err := listen(ctx, "KANAL_METRICS_ADDR", addr)
	if err != nil {
		return nil, err
	}
	m := &metrics{
		listener: l, registry: prometheus.NewRegistry(),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kanal_http_answers_total", Help: "Answers by route and status."}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "kanal_http_seconds", Help: "Time until the answer was written.", Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"route"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.answers, m.seconds,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kanal_jobs", Help: "Jobs that wait or run; -1 when the database does not answer."}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), jobsTimeout)
			defer cancel()
			n, err := db.CountJobs(ctx)
			if err != nil {
				return -1
			}
			return float64(n)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kanal_spool_records", Help: "Webhooks in the spool, which are not in the database yet."},
			func() float64 { return float64(sp.Records()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kanal_spool_bytes", Help: "Room that they take."},
			func() float64 { return float64(sp.Bytes()) }))
	m.server = &http.Server{Handler: m.routes(), ReadHeaderTimeout: 5 * time.Second}
	return m, nil
}

func (m *metrics) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// countStreams shows how many streams are open.
func (m *metrics) countStreams(n func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kanal_streams", Help: "Open event streams."},
		func() float64 { return float64(n()) }))
}

// observe counts an answer. A request for no route of ours counts as "other", so that nobody makes up routes.
func (m *metrics) observe(method, route string, status int, took time.Duration) {
	if route == "" || status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		method, route = "", "other"
	}
	m.answers.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

func (m *metrics) start() { go func() { _ = m.server.Serve(m.listener) }() }

func (m *metrics) close() error {
	_ = m.listener.Close() // the server closes it only when it has begun to serve
	return m.server.Close()
}
