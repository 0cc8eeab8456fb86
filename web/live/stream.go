package live

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kanal/models"
)

// ErrClosed says that the hub takes no new streams: the server is stopping.
var ErrClosed = models.E(models.KindUnavailable, "error.unavailable")

// Refresh reads again who the listener is and what they may hear: after a gap in which their rights may have changed.
// An error ends the stream.
type Refresh func(ctx context.Context) (Listener, error)

// Serve writes the stream of one page until the request ends, the login session ends or the hub is closed. who is what
// the request knows of its reader; refresh is asked at once and after every gap. ErrClosed or refresh's error come
// before anything is written.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, who Listener, refresh Refresh) error {
	sub, ok := h.subscribe(who)
	if !ok {
		return ErrClosed
	}
	defer h.leave(sub)
	// From here on no event is missed, so what is read now stays right.
	who, err := refresh(r.Context())
	if err != nil {
		return err
	}
	sub.become(who)
	st := &stream{sub: sub, w: w, rc: http.NewResponseController(w), refresh: refresh}
	if err := st.open(); err != nil {
		return err
	}
	st.run(r.Context(), who.Expires.Sub(h.clock()))
	return nil
}

// stream is one page's connection. A write that fails ends it.
type stream struct {
	sub     *subscriber
	w       http.ResponseWriter
	rc      *http.ResponseController
	refresh Refresh
}

// open sends the headers and a first ping: only an event proves to the page that the line works.
func (st *stream) open() error {
	// The server's limits for a request would cut the stream.
	err := errors.Join(st.rc.SetWriteDeadline(time.Time{}), st.rc.SetReadDeadline(time.Time{}))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	header := st.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	st.w.WriteHeader(http.StatusOK)
	return st.write(ping)
}

const ping = "event: ping\ndata: 0\n\n"

func (st *stream) run(ctx context.Context, life time.Duration) {
	beat := time.NewTicker(pingEvery)
	defer beat.Stop()
	over := time.NewTimer(life)
	defer over.Stop()
	quiet := time.NewTimer(0) // fires when lists may be sent again
	defer quiet.Stop()
	free := false
	for {
		out := ""
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			return
		case <-beat.C:
			out = ping
		case <-quiet.C:
			free = true
		case <-st.sub.wake:
		}
		wait, ended := st.sub.take(free)
		if ended || wait.resync && !st.again(ctx) {
			return
		}
		if len(wait.lists) > 0 {
			free = false
			quiet.Reset(listEvery)
		}
		if out += wait.text(); out != "" && st.write(out) != nil {
			return
		}
	}
}

// again reads the listener's rights again; false ends the stream.
func (st *stream) again(ctx context.Context) bool {
	who, err := st.refresh(ctx)
	if err != nil {
		return false
	}
	st.sub.become(who)
	return true
}

func (st *stream) write(text string) error {
	if _, err := st.w.Write([]byte(text)); err != nil {
		return err
	}
	return st.rc.Flush()
}

// text gives the events in the format of the stream. A resync stands for all of them.
func (w waiting) text() string {
	var b strings.Builder
	if w.resync {
		return "event: resync\ndata: 0\n\n"
	}
	for _, id := range w.now {
		line(&b, models.EventConversation, int64(id))
	}
	for _, id := range w.lists {
		line(&b, models.EventConversation, int64(id))
	}
	for _, id := range w.viewings {
		line(&b, models.EventViewing, int64(id))
	}
	for _, id := range w.accounts {
		line(&b, models.EventAccount, int64(id))
	}
	if w.sim {
		line(&b, models.EventSimulator, 0)
	}
	if w.template {
		line(&b, models.EventTemplate, 0)
	}
	return b.String()
}

func line(b *strings.Builder, name string, id int64) {
	b.WriteString("event: " + name + "\ndata: " + strconv.FormatInt(id, 10) + "\n\n")
}
