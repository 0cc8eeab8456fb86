package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/sample"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/views/i18n"
	"kanal/views/inbox"
)

// benchServer gives a server over a sample, not on a network.
func benchServer(b *testing.B) (*Server, *sample.World) {
	b.Helper()
	public := &url.URL{Scheme: "http", Host: "127.0.0.1"}
	o := Options{Store: storetest.Open(b, store.SQLite, nil), PublicURL: public, Version: "test"}
	var w *sample.World
	err := o.Store.InTx(b.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.WinSetup(b.Context()), tx.InsertQueue(b.Context(), &models.Queue{Name: "Default queue", IsDefault: true, Version: 1, CreatedAt: tx.Now()}))
	})
	if err == nil {
		w, err = sample.Fill(b.Context(), o.Store, sample.Options{Conversations: 1000, Agents: 2, PasswordHash: testHash()})
	}
	if err != nil {
		b.Fatal(err)
	}
	if o.Service, err = service.New(b.Context(), service.Options{Store: o.Store, Twilio: twilio.New(twilio.Options{}), PublicURL: public}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(o.Service.Close)
	s, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	return s, w
}

// BenchmarkPages answers requests of an agent who is signed in, without a network: the whole way of a page, in which
// /me is the overhead that every page has.
func BenchmarkPages(b *testing.B) {
	s, w := benchServer(b)
	form := url.Values{"email": {w.Agents[0].Email}, "password": {testPassword}}
	login := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(form.Encode()))
	login.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signedIn := httptest.NewRecorder()
	if s.Handler().ServeHTTP(signedIn, login); signedIn.Code != http.StatusSeeOther {
		b.Fatal(signedIn.Code)
	}
	cookies := signedIn.Result().Cookies()
	for _, path := range []string{"/me", "/inbox?view=all", fmt.Sprintf("/inbox/%d", w.Conversations[w.Owned(0)[0]].ID)} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest(http.MethodGet, path, nil)
				for _, c := range cookies {
					req.AddCookie(c)
				}
				answer := httptest.NewRecorder()
				if s.Handler().ServeHTTP(answer, req); answer.Code != http.StatusOK {
					b.Fatal(answer.Code)
				}
			}
		})
	}
}

// BenchmarkRender writes the two parts of the inbox.
func BenchmarkRender(b *testing.B) {
	s, w := benchServer(b)
	v := models.Viewer{User: w.Agents[0].ID, Role: models.Agent}
	ctx := i18n.With(context.Background(), i18n.Locale{Lang: i18n.EN})
	list := inbox.List{Part: inbox.Part{View: models.ViewAll}, Now: s.store.Now()}
	for i := range 50 {
		row, err := s.store.Conversation(b.Context(), v, w.Conversations[w.Owned(0)[i]].ID)
		if err != nil {
			b.Fatal(err)
		}
		list.Rows = append(list.Rows, row)
	}
	var err error
	thread := inbox.Thread{Row: list.Rows[0], Viewer: v, Now: s.store.Now(), Advice: adviceFor}
	if thread.Messages, err = s.store.Messages(b.Context(), thread.Row.Conversation, 0); err != nil {
		b.Fatal(err)
	}
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := inbox.ListPane(list).Render(ctx, io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("thread", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := inbox.ThreadPane(&thread).Render(ctx, io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
}
