package service_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// fetch runs a fetching of templates to its end, as jobs would.
func (c *center) fetch() models.TemplateSync {
	c.t.Helper()
	if err := c.service.SyncTemplates(ctx, c.boss(), c.account.ID); err != nil {
		c.t.Fatal(err)
	}
	return c.goOn()
}

// goOn runs the jobs of a fetching that has begun.
func (c *center) goOn() models.TemplateSync {
	c.t.Helper()
	y := c.fetching()
	for range 10 {
		if err := c.service.FetchTemplates(ctx, models.FetchTemplates{Account: c.account.ID, Started: y.StartedAt.UnixMicro()}); err != nil {
			c.t.Fatal(err)
		}
		if y = c.fetching(); y.FinishedAt != nil {
			return y
		}
	}
	return y
}

func (c *center) fetching() models.TemplateSync {
	c.t.Helper()
	y, err := c.store.TemplateSync(ctx, c.account.ID)
	if err != nil {
		c.t.Fatal(err)
	}
	return y
}

func (c *center) boss() models.Viewer {
	return models.Viewer{User: c.agent.User, Role: models.Administrator}
}

func (c *center) templates() map[string]models.Template {
	c.t.Helper()
	rows, err := c.store.Templates(ctx, store.TemplateFilter{Account: c.account.ID, Rows: 10000})
	if err != nil {
		c.t.Fatal(err)
	}
	out := map[string]models.Template{}
	for _, r := range rows {
		out[r.Name] = r.Template
	}
	return out
}

// fill gives the simulated account more templates.
func (c *center) fill(n int) {
	for i := range n {
		c.sim.AddContent(c.sid, simulator.Content{Name: fmt.Sprintf("filled_%04d", i), Language: "nb", Types: simulator.Text("Hei, dette er mal nummer " + fmt.Sprint(i) + ".")})
	}
}

func TestTemplatesAreFetched(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.fill(150)
		want := len(c.sim.Contents(c.sid))
		y := c.fetch()
		if y.Problem != "" || y.Pages != 2 || y.Templates != want || len(c.templates()) != want {
			t.Fatalf("%+v, %d templates, want %d", y, len(c.templates()), want)
		}
		m := c.templates()["timepaminnelse"]
		if m.Status != models.TemplateApproved || m.Kind != models.KindOfQuickReply || m.Language != "nb" || m.Category != "UTILITY" || m.Quality != "green" ||
			m.SampleValues()["2"] != "tirsdag" || !strings.HasPrefix(m.Body, "Hei {{1}}, vi minner") || len(m.Content().Actions) != 2 || m.Source != models.TemplateTwilio {
			t.Errorf("%+v", m)
		}
		if got := c.templates()["valg_av_tid"]; got.Status != models.TemplateUnsubmitted || !got.Usable(true) || got.Usable(false) {
			t.Errorf("a list: %+v", got)
		}
		// Nothing has changed: nothing is written but the time.
		clock.Advance(time.Minute)
		c.fetch()
		if is := c.templates()["timepaminnelse"]; is.Version != m.Version || is.ID != m.ID || !is.SyncedAt.After(*m.SyncedAt) {
			t.Errorf("fetched again: %+v", is)
		}
		c.sim.Decide(c.sid, m.ContentSID, "paused", "Low quality")
		clock.Advance(time.Minute)
		c.fetch()
		if is := c.templates()["timepaminnelse"]; is.Status != models.TemplatePaused || is.RejectionReason != "Low quality" || is.ID != m.ID {
			t.Errorf("paused: %+v", is)
		}
	})
}

// A page that fails leaves the old list, also what Twilio does not have any more; only a whole fetching removes.
func TestOldListStaysWhenAPageFails(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.fill(150)
		c.fetch()
		was := len(c.templates())
		gone := c.sim.Contents(c.sid)[149].SID
		c.sim.RemoveContent(c.sid, gone)
		clock.Advance(time.Minute)
		c.sim.FailListings(c.sid, 0, 500, 500, 500, 500)
		y := c.fetch()
		if y.Problem != "template.sync_failed" || y.Pages != 1 || y.FinishedAt == nil || len(c.templates()) != was {
			t.Fatalf("%+v, %d templates of %d", y, len(c.templates()), was)
		}
		clock.Advance(time.Minute)
		c.sim.FailListings(c.sid, 0, 503, 0)
		if y = c.fetch(); y.Problem != "" || y.Pages != 2 || len(c.templates()) != was-1 {
			t.Errorf("%+v, %d templates of %d", y, len(c.templates()), was)
		}
		clock.Advance(time.Minute)
		c.sim.FailListings(c.sid, 400)
		if y = c.fetch(); y.Problem != "template.sync_failed" || y.Tries != 0 {
			t.Errorf("refused: %+v", y)
		}
		clock.Advance(time.Minute)
		c.sim.FailListings(c.sid, 401)
		if y = c.fetch(); y.Problem != "template.sync_rejected" {
			t.Errorf("not accepted: %+v", y)
		}
	})
}

func TestOneFetchingAtATime(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		if err := c.service.SyncTemplates(ctx, c.boss(), c.account.ID); err != nil {
			t.Fatal(err)
		}
		first := c.fetching()
		clock.Advance(time.Second)
		if err := c.service.SyncTemplates(ctx, c.boss(), c.account.ID); err != nil {
			t.Fatal(err)
		}
		if is := c.fetching(); !is.StartedAt.Equal(first.StartedAt) {
			t.Error("a second one began")
		}
		// One that was cut off is begun anew, and what is left of the first does nothing.
		clock.Advance(10 * time.Minute)
		if err := c.service.SyncTemplates(ctx, c.boss(), c.account.ID); err != nil {
			t.Fatal(err)
		}
		if err := c.service.FetchTemplates(ctx, models.FetchTemplates{Account: c.account.ID, Started: first.StartedAt.UnixMicro()}); err != nil {
			t.Fatal(err)
		}
		if is := c.fetching(); is.StartedAt.Equal(first.StartedAt) || is.Pages != 0 {
			t.Errorf("%+v", is)
		}
		if err := c.service.SyncTemplates(ctx, c.boss(), 999); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestFetchingByItself(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		started := func() time.Time {
			t.Helper()
			if err := c.service.RefreshTemplates(ctx); err != nil {
				t.Fatal(err)
			}
			return c.fetching().StartedAt
		}
		if !started().IsZero() {
			t.Error("an account is fetched that nobody has asked for")
		}
		first := c.fetch().StartedAt
		clock.Advance(59 * time.Minute)
		if !started().Equal(first) {
			t.Error("too early")
		}
		clock.Advance(2 * time.Minute)
		if started().Equal(first) {
			t.Error("not after an hour")
		}
	})
}

func TestTemplateIsMadeAndApproved(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		d := models.TemplateDraft{
			Name: "order_ready", Language: "nb", Category: "UTILITY", Kind: models.KindOfText, Body: "Hei {{1}}, ordren din er klar.", Samples: map[string]string{"1": "Ana"},
		}
		id, err := c.service.CreateTemplate(ctx, c.boss(), c.account.ID, d)
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.store.Template(ctx, id)
		if err != nil || m.Status != models.TemplateReceived || m.Source != models.TemplateTwilio || m.Usable(true) || m.Category != "UTILITY" {
			t.Fatalf("%+v, %v", m, err)
		}
		var problems models.FieldErrors
		if _, err := c.service.CreateTemplate(ctx, c.boss(), c.account.ID, d); !errors.As(err, &problems) || problems[0].Key != "template.name_taken" {
			t.Errorf("made twice: %v", err)
		}
		d.Name, d.Body = "other", "{{1}} ja"
		if _, err := c.service.CreateTemplate(ctx, c.boss(), c.account.ID, d); !errors.As(err, &problems) || problems[0].Field != "body" {
			t.Errorf("against the rules: %v", err)
		}
		refresh := func(by time.Duration) models.TemplateStatus {
			t.Helper()
			clock.Advance(by)
			if err := c.service.RefreshTemplates(ctx); err != nil {
				t.Fatal(err)
			}
			m, err := c.store.Template(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			return m.Status
		}
		if got := refresh(time.Minute); got != models.TemplateReceived {
			t.Errorf("asked too soon: %s", got)
		}
		if got := refresh(time.Minute); got != models.TemplateApproved {
			t.Errorf("after two minutes: %s", got)
		}
		if err := c.service.SubmitTemplate(ctx, c.boss(), id, "UTILITY"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("submitted again: %v", err)
		}
		before := len(c.sim.Contents(c.sid))
		if err := c.service.DeleteTemplate(ctx, c.boss(), id); err != nil || len(c.sim.Contents(c.sid)) != before-1 {
			t.Errorf("deleted: %v", err)
		}
		if _, err := c.store.Template(ctx, id); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestTemplateForOpenWindowsIsNotSubmitted(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id, err := c.service.CreateTemplate(ctx, c.boss(), c.account.ID, models.TemplateDraft{
			Name: "times", Language: "en", Kind: models.KindOfListPicker, Body: "When?", ListButton: "Choose", Items: []models.Choice{{Title: "Today"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := c.store.Template(ctx, id); err != nil || m.Status != models.TemplateUnsubmitted || !m.Usable(true) || m.Usable(false) || m.Submittable() {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

// Without Twilio nothing is made and nothing is forgotten.
func TestTwilioIsAway(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.fetch()
		m := c.templates()["oppfolging"]
		_ = c.sim.Close()
		d := models.TemplateDraft{Name: "a", Language: "nb", Category: "UTILITY", Kind: models.KindOfText, Body: "Hei der."}
		if _, err := c.service.CreateTemplate(ctx, c.boss(), c.account.ID, d); !errors.Is(err, service.ErrTemplateRefused) {
			t.Error(err)
		}
		if err := c.service.DeleteTemplate(ctx, c.boss(), m.ID); !errors.Is(err, service.ErrTemplateKept) {
			t.Error(err)
		}
		if _, err := c.store.Template(ctx, m.ID); err != nil {
			t.Error(err)
		}
		id, err := c.service.AddTemplate(ctx, c.boss(), c.account.ID, service.TemplateDetails{Name: "b", Language: "nb", Body: "Hei", ContentSID: "HX0123456789abcdef0123456789abcdef"})
		if err != nil {
			t.Fatal("a typed template needs no Twilio:", err)
		}
		if b, err := c.store.Template(ctx, id); err != nil || b.Status != models.TemplateNone || b.Usable(false) {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

func TestTypedTemplates(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		hx := c.sim.Contents(c.sid)[0].SID
		add := func(in service.TemplateDetails) (models.TemplateID, string) {
			t.Helper()
			id, err := c.service.AddTemplate(ctx, c.boss(), c.account.ID, in)
			var f models.FieldErrors
			if err != nil && !errors.As(err, &f) {
				t.Fatal(err)
			}
			return id, f.Error()
		}
		plain := service.TemplateDetails{Name: " Takk for sist ", Language: "nb", Body: "Hei {{1}},\r\ntakk for sist. "}
		id, problems := add(plain)
		m, err := c.store.Template(ctx, id)
		if problems != "" || err != nil || m.Name != "Takk for sist" || m.Body != "Hei {{1}},\ntakk for sist." || !m.Usable(true) || m.Usable(false) {
			t.Fatalf("%q, %+v, %v", problems, m, err)
		}
		for want, change := range map[string]func(*service.TemplateDetails){
			"name: template.name_taken":        func(d *service.TemplateDetails) { d.Name = "takk FOR sist" },
			"name: template.name_empty":        func(d *service.TemplateDetails) { d.Name = "\x00 " },
			"content_sid: template.sid_format": func(d *service.TemplateDetails) { d.Name, d.ContentSID = "x", "hx1" },
			"content_sid: template.sid_unknown": func(d *service.TemplateDetails) {
				d.Name, d.ContentSID = "x", "HX0123456789abcdef0123456789abcdef"
			},
		} {
			in := plain
			change(&in)
			if _, got := add(in); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		named := plain
		named.Name, named.FieldNames = "Navngitt", map[string]string{"1": " For\nnavn ", "2": "Ukjent"}
		if id, problems = add(named); problems != "" {
			t.Error(problems)
		}
		if m, err := c.store.Template(ctx, id); err != nil || m.FieldNames != `{"1":"For navn"}` {
			t.Errorf("%q, %v", m.FieldNames, err)
		}
		if err := c.service.SaveTemplate(ctx, c.boss(), id, service.TemplateDetails{Name: "Navngitt", Language: "nb", Body: "Ordre {{1}}.", FieldNames: map[string]string{"1": "Ordre"}}, service.Edit{Version: 1}); err != nil {
			t.Error(err)
		}
		if m, err := c.store.Template(ctx, id); err != nil || m.FieldNames != `{"1":"Ordre"}` {
			t.Errorf("%q, %v", m.FieldNames, err)
		}
		id = m.ID
		// What Twilio has of a Content SID counts, and the name stays the one that agents know.
		known, problems := add(service.TemplateDetails{Name: "Følg opp", Language: "en", Body: "old text", ContentSID: " “" + hx + "” ", FieldNames: map[string]string{"1": "Fornavn"}})
		if m, err := c.store.Template(ctx, known); problems != "" || err != nil || m.Status != models.TemplateApproved || m.Name != "Følg opp" || m.FieldNames != `{"1":"Fornavn"}` || m.Language != "nb" || !strings.HasPrefix(m.Body, "Hei {{1}}, vi har svar") {
			t.Errorf("%q, %+v, %v", problems, m, err)
		}
		if _, got := add(service.TemplateDetails{Name: "x", Language: "en", Body: "b", ContentSID: hx}); got != "content_sid: template.sid_taken" {
			t.Error(got)
		}
		c.fetch()
		if m := c.templates()["Følg opp"]; m.ID != known || m.Source != models.TemplateTyped {
			t.Errorf("fetched: %+v", m)
		}
		changeTyped(t, c, id, known)
		clock.Advance(time.Minute)
		c.fetch() // what was deleted here and is at Twilio comes back as Twilio's
		if m := c.templates()["oppfolging"]; m.Source != models.TemplateTwilio {
			t.Errorf("%+v", m)
		}
	})
}

func changeTyped(t *testing.T, c *center, id, known models.TemplateID) {
	t.Helper()
	save := func(id models.TemplateID, version int, body string) error {
		return c.service.SaveTemplate(ctx, c.boss(), id, service.TemplateDetails{Name: "Takk", Language: "nb", Body: body}, service.Edit{Version: version})
	}
	if err := save(id, 1, "Takk, {{1}}."); err != nil {
		t.Fatal(err)
	}
	if err := save(id, 1, "Nei."); !errors.Is(err, store.ErrStale) {
		t.Error("saved over another:", err)
	}
	if err := save(c.templates()["timepaminnelse"].ID, 1, "Nei."); !errors.Is(err, models.ErrNotFound) {
		t.Error("one of Twilio's was changed:", err)
	}
	at := len(c.sim.Contents(c.sid))
	for _, x := range []models.TemplateID{id, known} {
		if err := c.service.DeleteTemplate(ctx, c.boss(), x); err != nil {
			t.Error(err)
		}
	}
	if len(c.sim.Contents(c.sid)) != at {
		t.Error("a typed template was deleted at Twilio")
	}
	audits, err := c.store.Audits(ctx, 4)
	if err != nil || audits[0].Action != "template.deleted" || !strings.Contains(audits[0].Details, "Følg opp") {
		t.Errorf("%+v, %v", audits, err)
	}
}

// What Twilio sends is not trusted: neither its size nor its signs.
func TestHostileTemplates(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.sim.AddContent(c.sid, simulator.Content{Name: "huge", Language: "nb", Types: simulator.Text(strings.Repeat("x", 200<<10))})
		c.sim.AddContent(c.sid, simulator.Content{Name: "nul\x00<script>" + strings.Repeat("y", 2000), Language: strings.Repeat("z", 50), Types: simulator.Text("a\x00b <b>{{1}}</b>")})
		if y := c.fetch(); y.Problem != "" {
			t.Fatalf("%+v", y)
		}
		all := c.templates()
		if _, ok := all["huge"]; ok {
			t.Error("the huge one is kept")
		}
		found := false
		for name, m := range all {
			if strings.HasPrefix(name, "nul<script>") {
				found = len(name) <= 512 && m.Body == "ab <b>{{1}}</b>" && len(m.Language) == 20
			}
		}
		if !found {
			t.Error("the hostile one is not kept as it should be")
		}
	})
}

func BenchmarkSyncTemplates(b *testing.B) {
	for _, d := range storetest.Dialects {
		b.Run(string(d), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				c := newCenter(b, storetest.Open(b, d, nil), nil)
				c.fill(6000 - len(c.sim.Contents(c.sid)))
				b.StartTimer()
				if y := c.fetch(); y.Templates != 6000 || y.Problem != "" {
					b.Fatalf("%+v", y)
				}
			}
		})
	}
}
